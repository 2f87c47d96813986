import io
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from labelling.core.errors import BadInput
from labelling.core.raster import Pixels
from labelling.core.render import (
    FORMATS,
    combinations_for,
    empty_tile,
    find_combination,
    index_values,
    limits_of,
    parse_stretch,
    render,
)

S2 = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")


def pixels(*planes: Any, bands: tuple[str, ...], mask: Any = None) -> Pixels:
    data = np.array(planes, np.float32)
    valid = np.ones(data.shape[1:], np.bool_) if mask is None else np.array(mask)
    return Pixels(data, valid, "EPSG:3857", Affine.identity(), bands)


def decoded(image: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(image)))


@pytest.mark.parametrize(
    ("bands", "ids"),
    [
        (S2, ["true-colour", "false-colour", "swir", "ndvi", "iron", "clay"]),
        (("B02", "B03", "B04"), ["true-colour", "iron"]),
        (("B02", "B03", "B04", "B08"), ["true-colour", "false-colour", "ndvi", "iron"]),
        (("B04", "B8A", "B12"), ["swir", "ndvi"]),
        (("VV",), ["VV"]),
        (("VV", "VH"), ["VV"]),
        (("X1", "X2", "X3", "X4"), ["X1,X2,X3"]),
    ],
)
def test_a_scene_has_the_combinations_that_its_bands_allow(bands: tuple[str, ...], ids: list[str]) -> None:
    assert [one.id for one in combinations_for(bands)] == ids


def test_the_near_infrared_is_the_one_that_there_is() -> None:
    assert find_combination("false-colour", S2).bands == ("B08", "B04", "B03")
    assert find_combination("false-colour", [band for band in S2 if band != "B08"]).bands == ("B8A", "B04", "B03")
    assert find_combination("swir", S2).bands == ("B12", "B8A", "B04")
    assert find_combination("swir", [band for band in S2 if band != "B8A"]).bands == ("B12", "B08", "B04")


def test_bands_may_be_named_one_or_three() -> None:
    assert find_combination("B12,B08,B04", S2).bands == ("B12", "B08", "B04")
    assert find_combination("B12", S2).bands == ("B12",)


@pytest.mark.parametrize("text", ["", "nonsense", "B12,B08", "B99", "B04,B03,B02,B01", "B04,,B02", "../x", "b04", "4"])
def test_nonsense_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(BadInput, match="this scene has true-colour, iron, or one or three of the bands B02, B03, B04"):
        find_combination(text, ("B02", "B03", "B04"))


def test_a_stretch_is_two_numbers() -> None:
    assert parse_stretch("") is None
    assert parse_stretch("0.02,0.25") == (0.02, 0.25)
    assert parse_stretch("-0.1,1e-2") == (-0.1, 0.01)


@pytest.mark.parametrize("text", ["1", "1,2,3", "2,1", "1,1", "nan,1", "0,inf", "a,b", ",", "0,1e9", "0;1"])
def test_a_stretch_of_nonsense_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="two numbers"):
        parse_stretch(text)


def test_the_default_limits_are_the_scene_s_own_in_reflectance() -> None:
    display = {"B04": [1200.0, 3200.0], "B03": [0.0, 0.0], "iron": [0.8, 1.9]}
    colour = find_combination("true-colour", S2)
    limits = limits_of(colour, display=display, scales=(1e-4,) * 3, offsets=(-0.1,) * 3)
    assert limits[0] == pytest.approx((0.02, 0.22))
    assert limits[1] == limits[2] == (0.0, 0.3)
    index = {"scales": (1e-4,) * 2, "offsets": (0.0,) * 2}
    assert limits_of(find_combination("iron", S2), display=display, **index) == ((0.8, 1.9),)
    assert limits_of(find_combination("ndvi", S2), display=display, **index) == ((-0.1, 0.9),)
    assert limits_of(find_combination("clay", S2), display={}, **index) == ((0.5, 2.0),)


def test_an_index_is_its_formula_and_nothing_where_it_would_divide_by_nothing() -> None:
    look = pixels([[0.6, 0.3, 0.0]], [[0.2, 0.3, 0.0]], bands=("B08", "B04"))
    assert index_values(look, find_combination("ndvi", S2)) == pytest.approx(np.array([[0.5, 0.0, 0.0]]))
    look = pixels([[0.6, 0.3, 0.1]], [[0.2, 0.3, 0.0]], bands=("B04", "B02"))
    assert index_values(look, find_combination("iron", S2)) == pytest.approx(np.array([[3.0, 1.0, 0.0]]))


def test_colours_run_from_the_lower_to_the_higher_limit() -> None:
    look = pixels([[0.0, 0.1, 0.3]], [[0.1, 0.3, 0.9]], [[-1.0, 0.1, 0.3]], bands=("B04", "B03", "B02"))
    shown = decoded(render(look, find_combination("true-colour", S2), limits=((0.1, 0.3),), fmt="png"))
    assert shown.shape == (1, 3, 3)
    assert shown.tolist() == [[[0, 0, 0], [0, 255, 0], [255, 255, 255]]]


def test_each_band_may_have_limits_of_its_own() -> None:
    look = pixels([[0.2]], [[0.2]], [[0.2]], bands=("B04", "B03", "B02"))
    limits = ((0.0, 0.2), (0.2, 0.4), (0.0, 0.4))
    red, green, blue = decoded(render(look, find_combination("true-colour", S2), limits=limits, fmt="png"))[0, 0]
    assert (red, green) == (255, 0)
    assert 127 < blue < 180


def test_one_band_is_grey() -> None:
    shown = decoded(
        render(pixels([[0.0, 0.5, 1.0]], bands=("B04",)), find_combination("B04", S2), limits=((0, 1),), fmt="png")
    )
    assert (shown[..., 0] == shown[..., 2]).all()
    assert shown[0, 0, 0] < shown[0, 1, 0] < shown[0, 2, 0]


def test_an_index_is_on_a_ramp_whose_lightness_rises_for_every_eye() -> None:
    values = np.linspace(0.5, 2.0, 64, dtype=np.float32)[None]
    for name, bands in (("iron", ("B04", "B02")), ("clay", ("B11", "B12"))):
        look = pixels(values, np.ones_like(values), bands=bands)
        shown = decoded(render(look, find_combination(name, S2), limits=((0.5, 2.0),), fmt="png"))[0].astype(float)
        lightness = shown @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(lightness) > -0.5).all()
        assert lightness[-1] - lightness[0] > 150


@pytest.mark.parametrize("fmt", FORMATS)
def test_no_data_is_transparent_or_in_jpeg_black(fmt: str) -> None:
    look = pixels(*np.full((3, 16, 16), 0.9), bands=("B04", "B03", "B02"), mask=[[x < 8 for x in range(16)]] * 16)
    image = Image.open(io.BytesIO(render(look, find_combination("true-colour", S2), limits=((0, 1),), fmt=fmt)))
    assert image.get_format_mimetype() == FORMATS[fmt]
    corner = image.getpixel((15, 0))
    assert isinstance(corner, tuple)
    assert max(corner[:3]) < 12
    assert (image.mode, corner[3:]) == (("RGB", ()) if fmt == "jpg" else ("RGBA", (0,)))


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_empty_tile_is_small_and_see_through(fmt: str) -> None:
    image = Image.open(io.BytesIO(empty_tile(fmt)))
    assert image.size == (256, 256)
    assert len(empty_tile(fmt)) < 2000
    assert fmt == "jpg" or image.getchannel("A").getextrema() == (0, 0)


@given(st.floats(-5, 5, width=32), st.floats(0.001, 5), st.sampled_from([np.nan, np.inf, -np.inf, -3.0, 0.0, 7.0]))
def test_no_number_breaks_the_drawing(low: float, span: float, value: float) -> None:
    look = pixels(
        *np.full((3, 2, 2), value), bands=("B04", "B03", "B02"), mask=np.full((2, 2), bool(np.isfinite(value)))
    )
    shown = decoded(render(look, find_combination("true-colour", S2), limits=((low, low + span),), fmt="png"))
    assert shown.shape[:2] == (2, 2)
