import pytest

from inference.core.model_version import ModelSpec, free_name
from tests.inference.models import PREPARATION


@pytest.mark.parametrize(
    ("wanted", "taken", "given"),
    [
        ("baseline", set(), "baseline-1"),
        ("baseline", {"baseline-1", "baseline-9"}, "baseline-10"),
        ("baseline-4", {"baseline-1"}, "baseline-4"),
        ("baseline-4", {"baseline-4"}, "baseline-5"),
        ("baseline", {"cobalt-7", "baseline"}, "baseline-1"),
    ],
)
def test_a_model_gets_a_number_of_its_own(wanted: str, taken: set[str], given: str) -> None:
    assert free_name(wanted, taken) == given


@pytest.mark.parametrize("types", [(), ("pond", "pond")])
def test_a_model_finds_something_and_each_type_once(types: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="at least one type"):
        ModelSpec("yolo11n", "feature", types, PREPARATION)
