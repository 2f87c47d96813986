from labelling.views.tables import csv_answer


def test_a_table_is_a_file_and_no_cell_of_it_a_formula() -> None:
    answer = csv_answer("models.csv", ("name", "ap50"), [("=HYPERLINK(1)", -1.5), ("v7", 0.25)])
    assert answer["Content-Disposition"] == 'attachment; filename="models.csv"'
    assert answer.text.splitlines() == ["name,ap50", "'=HYPERLINK(1),-1.5", "v7,0.25"]
