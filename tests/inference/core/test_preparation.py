import json

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from inference.core.preparation import Preparation
from labelling.core.raster import Pixels

PREPARATION = Preparation(bands=("B04", "B03"), chip_px=64, pixel_m=10.0, low=(0.0, 0.1), high=(0.5, 0.3))


def pixels(values: list[list[int]], *, mask: list[bool] | None = None) -> Pixels:
    """One row of pixels in the bands B03 and B04."""
    data = np.asarray(values, np.uint16)[:, None, :]
    valid = np.ones((1, data.shape[2]), np.bool_) if mask is None else np.asarray([mask])
    return Pixels(data, valid, "EPSG:32723", Affine.identity(), ("B03", "B04"), (0.0001, 0.0001), (0.0, 0.0))


def test_bands_come_in_the_models_order_and_each_is_stretched_by_its_own_bounds() -> None:
    out = PREPARATION.to_uint8(pixels([[1000, 1999, 3000], [0, 2501, 5000]]))
    assert out.shape == (1, 3, 2)
    assert out[0].tolist() == [[0, 0], [128, 127], [255, 255]]


def test_what_lies_beyond_the_bounds_is_clipped_and_no_data_is_nought() -> None:
    out = PREPARATION.to_uint8(pixels([[0, 9000, 2000], [9000, 9000, 2500]], mask=[True, True, False]))
    assert out[0].tolist() == [[255, 0], [255, 255], [0, 0]]


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_brighter_ground_never_gets_darker(one: int, other: int) -> None:
    dark, bright = sorted((one, other))
    out = PREPARATION.to_uint8(pixels([[dark, bright], [dark, bright]]))
    assert (out[0, 0] <= out[0, 1]).all()


def test_it_survives_json() -> None:
    assert Preparation.from_json(json.loads(json.dumps(PREPARATION.to_json()))) == PREPARATION


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValueError, match="chip_px"):
        Preparation.from_json({"bands": ["B04"]})


@pytest.mark.parametrize(
    "change", [{"bands": ()}, {"low": (0.0,)}, {"high": (0.5,)}, {"low": (0.5, 0.1)}, {"high": (0.5, 0.1)}]
)
def test_bounds_that_do_not_fit_are_refused(change: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(ValueError, match="bound"):
        Preparation(**{**PREPARATION.__dict__, **change})
