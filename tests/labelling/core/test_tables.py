from labelling.core.tables import csv_text


def test_a_table_is_text_and_no_cell_of_it_a_formula() -> None:
    text = csv_text(("name", "ap50"), [("=HYPERLINK(1)", -1.5), ("v7", 0.25), ("@a,b", "")])
    assert text.splitlines() == ["name,ap50", "'=HYPERLINK(1),-1.5", "v7,0.25", '"\'@a,b",']
