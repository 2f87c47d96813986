import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.core.metrics import Figures, Prediction, Truth, box_ious, evaluator_name, score_boxes

pytest.importorskip("faster_coco_eval", reason="average precision is computed on a worker: install the extra 'worker'")

PIT, DUMP = "open_pit", "waste_rock_dump"


def square(x: float, y: float = 0, side: float = 10) -> tuple[float, float, float, float]:
    return (x, y, x + side, y + side)


def truth(x: float, code: str = PIT, image: str = "a") -> Truth:
    return Truth(image, code, square(x))


def found(x: float, score: float, code: str = PIT, image: str = "a") -> Prediction:
    return Prediction(image, code, square(x), score)


def overall(truths: list[Truth], predictions: list[Prediction], threshold: float = 0.25) -> Figures:
    return score_boxes(truths, predictions, threshold=threshold)[0]


def test_all_found_and_nothing_else_is_perfect() -> None:
    figures = overall([truth(0), truth(50)], [found(0, 0.9), found(50, 0.8)])
    assert figures == Figures(1.0, 1.0, 1.0, 1.0, 1.0, 0.25, 2, 2)


def test_one_of_two_found_has_half_the_recall() -> None:
    figures = overall([truth(0), truth(50)], [found(0, 0.9)])
    # COCO samples recall at 101 places: 0.00 to 0.50 are reached, 51 of 101.
    assert figures.ap50 == pytest.approx(51 / 101)
    assert [figures.precision, figures.recall, figures.f1] == pytest.approx([1.0, 0.5, 2 / 3])


def test_a_false_alarm_before_the_only_truth_halves_the_precision() -> None:
    figures = overall([truth(0)], [found(200, 0.9), found(0, 0.8)])
    assert figures.ap50 == pytest.approx(0.5)
    assert [figures.precision, figures.recall, figures.f1] == pytest.approx([0.5, 1.0, 2 / 3])


def test_a_false_alarm_after_it_costs_no_average_precision() -> None:
    figures = overall([truth(0)], [found(0, 0.9), found(200, 0.8)])
    assert figures.ap50 == pytest.approx(1.0)
    assert figures.precision == 0.5


def test_a_box_that_fits_loosely_counts_only_for_the_loose_overlaps() -> None:
    # 10 x 10 against 10 x 7 within it: an IoU of 0.70, right at 0.50, 0.55, 0.60, 0.65 and 0.70 of ten.
    loose = Prediction("a", PIT, (0, 0, 10, 7.001), 0.9)
    figures = overall([truth(0)], [loose])
    assert figures.ap50 == pytest.approx(1.0)
    assert figures.ap50_95 == pytest.approx(0.5)


def test_the_right_box_of_the_wrong_type_is_both_missed_and_wrong() -> None:
    figures, by_type = score_boxes([truth(0, PIT)], [found(0, 0.9, DUMP)], threshold=0.25)
    assert (figures.ap50, figures.precision, figures.recall, figures.f1) == (0.0, 0.0, 0.0, 0.0)
    assert by_type[PIT].recall == 0.0
    assert by_type[PIT].precision is None
    assert by_type[DUMP].ap50 is None
    assert by_type[DUMP].precision == 0.0


def test_the_mean_over_types_leaves_out_types_without_truth() -> None:
    figures, by_type = score_boxes(
        [truth(0, PIT), truth(50, DUMP), truth(100, DUMP)],
        [found(0, 0.9, PIT), found(50, 0.9, DUMP), found(300, 0.9, "pond")],
        threshold=0.25,
    )
    assert by_type["pond"].ap50 is None
    assert figures.ap50 == pytest.approx((1 + 51 / 101) / 2)
    assert figures.precision == pytest.approx(2 / 3)


def test_a_second_box_on_the_same_truth_is_a_false_alarm() -> None:
    figures = overall([truth(0)], [found(0, 0.9), found(1, 0.8)])
    assert (figures.precision, figures.recall) == (0.5, 1.0)


def test_the_same_place_in_another_image_is_another_place() -> None:
    figures = overall([truth(0, image="a")], [found(0, 0.9, image="b")])
    assert (figures.ap50, figures.recall, figures.precision) == (0.0, 0.0, 0.0)


def test_the_threshold_moves_precision_and_recall_but_not_average_precision() -> None:
    case = [truth(0), truth(50)], [found(0, 0.9), found(50, 0.3), found(200, 0.1)]
    low, high = overall(*case, threshold=0.05), overall(*case, threshold=0.5)
    assert low.ap50 == high.ap50 == pytest.approx(1.0)
    assert [low.precision, low.recall, low.predictions] == pytest.approx([2 / 3, 1.0, 3])
    assert (high.precision, high.recall, high.predictions) == (1.0, 0.5, 1)


def test_without_truth_or_predictions_nothing_is_claimed() -> None:
    assert overall([], []) == Figures(None, None, None, None, None, 0.25, 0, 0)
    silent = overall([truth(0)], [])
    assert (silent.ap50, silent.precision, silent.recall, silent.f1) == (0.0, None, 0.0, 0.0)
    alarm = overall([], [found(0, 0.9)])
    assert (alarm.ap50, alarm.precision, alarm.recall, alarm.f1) == (None, 0.0, None, 0.0)


def test_a_landscape_with_more_than_a_hundred_finds_is_scored_whole() -> None:
    truths = [truth(20 * n) for n in range(300)]
    assert overall(truths, [found(20 * n, 0.9) for n in range(300)]).ap50 == pytest.approx(1.0)


def test_overlaps_are_intersections_over_unions() -> None:
    ious = box_ious([(0, 0, 2, 2)], [(0, 0, 2, 2), (1, 0, 3, 2), (5, 5, 6, 6), (0, 0, 0, 0)])
    np.testing.assert_allclose(ious, [[1, 1 / 3, 0, 0]])
    np.testing.assert_array_equal(box_ious([(1, 1, 1, 1)], [(1, 1, 1, 1)]), [[0]])


places = st.integers(0, 12).map(lambda n: n * 6.0)
codes = st.sampled_from([PIT, DUMP])
images = st.sampled_from(["a", "b"])
some_truths = st.lists(st.builds(truth, places, codes, images), max_size=8)
some_finds = st.lists(st.builds(found, places, st.integers(1, 99).map(lambda n: n / 100), codes, images), max_size=8)


@settings(max_examples=60, deadline=None)
@given(truths=some_truths, predictions=some_finds)
def test_pycocotools_says_the_same(truths: list[Truth], predictions: list[Prediction]) -> None:
    ours = overall(truths, predictions)
    theirs = second_opinion(truths, predictions)
    if theirs is None:
        assert ours.ap50 is None
    else:
        assert (ours.ap50, ours.ap50_95) == pytest.approx(theirs)
    for share in (ours.ap50, ours.precision, ours.recall, ours.f1):
        assert share is None or 0 <= share <= 1


def second_opinion(truths: list[Truth], predictions: list[Prediction]) -> tuple[float, float] | None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if not truths or not predictions:
        return (0.0, 0.0) if truths else None

    def plain(item: Truth | Prediction, number: int) -> dict[str, object]:
        x0, y0, x1, y1 = item.box
        place = {"image_id": "ab".index(item.image) + 1, "category_id": [PIT, DUMP].index(item.type_code) + 1}
        return {**place, "id": number, "bbox": [x0, y0, x1 - x0, y1 - y0], "area": 100.0, "iscrowd": 0}

    known = COCO()
    known.dataset = {
        "images": [{"id": 1}, {"id": 2}],
        "categories": [{"id": 1}, {"id": 2}],
        "annotations": [plain(item, n) for n, item in enumerate(truths, start=1)],
    }
    known.createIndex()
    known.dataset.setdefault("info", {})
    scored = [{**plain(item, n), "score": item.score} for n, item in enumerate(predictions, start=1)]
    judge = COCOeval(known, known.loadRes(scored), "bbox")
    judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
    judge.evaluate()
    judge.accumulate()
    table = judge.eval["precision"][:, :, :, 0, -1]
    with_truth = table[table > -1].reshape(10, 101, -1)
    return float(with_truth[0].mean()), float(with_truth.mean())


def test_the_evaluator_names_itself_and_its_library_within_its_column() -> None:
    assert evaluator_name().startswith("mad-1 faster-coco-eval-")
    assert len(evaluator_name()) <= 40


def test_the_web_process_does_not_load_the_library() -> None:
    asked = "import sys, training.core.metrics; print('faster_coco_eval' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "False\n"
