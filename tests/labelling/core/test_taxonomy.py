import re
from itertools import combinations

import numpy as np
import pytest

from labelling.core.taxonomy import COMMODITIES, FEATURES, METHODS, TAXONOMY, TypeSpec

# What a deuteranope sees: Vienot, Brettel and Mollon (1999), linear RGB.
DEUTERANOPE = np.array([[0.29275, 0.70725, -0.02234], [0.29275, 0.70725, -0.02234], [-0.02234, 0.02234, 1.0]])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(color: str, seen: np.ndarray) -> np.ndarray:
    rgb = np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = TO_XYZ @ np.clip(seen @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089])
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


@pytest.mark.parametrize(
    ("types", "seen", "least"),
    [(FEATURES, np.eye(3), 25), (METHODS, np.eye(3), 25), (COMMODITIES, np.eye(3), 12), (FEATURES, DEUTERANOPE, 8)],
)
def test_colours_of_an_axis_can_be_told_apart(types: tuple[TypeSpec, ...], seen: np.ndarray, least: float) -> None:
    for one, other in combinations(types, 2):
        assert np.linalg.norm(lab(one.color, seen) - lab(other.color, seen)) > least, (one.code, other.code)


def test_codes_names_and_ranks_are_one_of_a_kind() -> None:
    assert len({spec.code for spec in TAXONOMY}) == len(TAXONOMY)
    for axis in (FEATURES, COMMODITIES, METHODS):
        assert len({spec.name for spec in axis}) == len(axis)
        assert [spec.rank for spec in axis] == list(range(1, len(axis) + 1))


def test_every_type_is_fit_for_files_and_css() -> None:
    for spec in TAXONOMY:
        assert re.fullmatch(r"[a-z][a-z_]{1,58}", spec.code)
        assert re.fullmatch(r"#[0-9A-F]{6}", spec.color)


def test_the_features_of_the_design_are_there() -> None:
    assert {spec.code for spec in FEATURES} >= {
        "open_pit", "waste_rock_dump", "tailings_storage_facility", "heap_leach_pad", "processing_plant", "pond",
        "facility_stockyard", "artisanal_diggings",
    }  # fmt: skip
    assert len(FEATURES) <= 9, "each has a digit key"
