from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from labelling.core.products import Product
from labelling.core.radiometry import Radiometry, nodata_for, read_radiometry, saturated

BANDS = ("B02", "B11")
BOTH = {"B02": -1000.0, "B11": -900.0}
BASELINE_04 = "S2A_MSIL2A_20180105T115411_N0500_R023_T29UNU_20230105T164454.SAFE"


def product(offsets: dict[str, float], baseline: str = "04.00") -> Product:
    return Product("MTD_MSIL2A.xml", "x.SAFE", "L2A", baseline, 10_000, MappingProxyType(offsets), 0)


def item(properties: dict[str, Any], bands: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    asset = {"raster:bands": bands} if bands else {}
    return {"properties": properties, "assets": {"blue": asset, "swir16": asset}}


def read(**said: Any) -> Radiometry:
    return read_radiometry(**{"bands": BANDS, "dtype": "uint16", **said})


def numbers(**said: Any) -> tuple[float, ...]:
    found = read(**said)
    assert found.scales[0] == found.scales[1]
    return found.scales[0], *found.offsets


def refused(**said: Any) -> str:
    with pytest.raises(ValueError, match=r".") as caught:
        read(**said)
    return str(caught.value)


def test_nothing_said_is_refused_with_what_to_say() -> None:
    reason = refused()
    assert "does not say how its numbers become reflectance" in reason
    assert '"offset": -0.1 from it on' in reason
    assert '{"baseline": "04.00"}' in reason


def test_the_product_s_xml_gives_each_band_its_offset() -> None:
    assert numbers(product=product(BOTH)) == (0.0001, -0.1, -0.09)
    assert read(product=product(BOTH)).said_by == "MTD_MSIL2A.xml (baseline 04.00)"
    assert numbers(product=product({}, "02.05")) == (0.0001, 0, 0)
    assert refused(product=product({"B02": -1000})) == "MTD_MSIL2A.xml names no offset of B11"


def test_an_old_scene_that_was_reprocessed_has_the_offset_of_its_baseline() -> None:
    found = read(name=BASELINE_04)
    assert (found.offsets, found.baseline, found.said_by) == ((-0.1, -0.1), "05.00", "processing baseline 05.00")
    assert read(tags={"PRODUCT": BASELINE_04}).offsets == (-0.1, -0.1)
    assert read(tags={"PROCESSING_BASELINE": "03.01"}).offsets == (0, 0)
    assert read(item=item({"s2:processing_baseline": "04.00"})).offsets == (-0.1, -0.1)


def test_a_malformed_baseline_says_nothing() -> None:
    assert "does not say" in refused(tags={"PROCESSING_BASELINE": "new"})
    assert "not a number such as 04.00" in refused(baseline="4")


@pytest.mark.parametrize(
    "asset",
    [
        {"raster:bands": [{"scale": 0.0001, "offset": -0.1}]},
        {"bands": [{"raster:scale": 0.0001, "raster:offset": -0.1}]},
        {"raster:scale": 0.0001, "raster:offset": -0.1},
    ],
)
def test_a_stac_item_says_it_in_three_ways(asset: dict[str, Any]) -> None:
    said = {"properties": {}, "assets": {"blue": asset, "swir16": asset}}
    assert numbers(item=said, assets=("blue", "swir16")) == (0.0001, -0.1, -0.1)


def test_a_stac_item_that_is_silent_of_one_band_is_silent_of_all() -> None:
    said = {"properties": {}, "assets": {"blue": {"raster:scale": 0.0001}, "swir16": {}}}
    assert "does not say" in refused(item=said, assets=("blue", "swir16"))
    assert "does not say" in refused(item=said, assets=("blue", "gone"))


@pytest.mark.parametrize("key", ["earthsearch:boa_offset_applied", "sentinel:boa_offset_applied"])
def test_a_mirror_that_applied_the_offset_already_is_not_corrected_twice(key: str) -> None:
    # Such items still name the offset of the product among their bands, and the product's baseline.
    said = item({key: True, "s2:processing_baseline": "05.09"}, [{"scale": 0.0001, "offset": -0.1}])
    found = read(item=said, assets=("blue", "swir16"), product=product(BOTH))
    assert (found.offsets, found.baseline) == ((0, 0), "04.00")
    assert found.said_by == "the STAC item, whose offset the mirror has applied"
    said["properties"][key] = False
    assert read(item=said, assets=("blue", "swir16")).offsets == (-0.1, -0.1)


def test_two_that_contradict_each_other_are_refused_until_a_person_says_which() -> None:
    said: dict[str, Any] = {"scales": (0.0001, 0.0001), "offsets": (0.0, 0.0), "product": product(BOTH)}
    assert refused(**said) == (
        "the file says number × 0.0001 +0, but MTD_MSIL2A.xml (baseline 04.00) says number × 0.0001 -0.1 or 0.0001 "
        "-0.09: say which holds with --mapping (scale and offset)"
    )
    assert numbers(**said, scale=0.0001, offset=0.0) == (0.0001, 0, 0)
    old = item({"s2:processing_baseline": "02.09"}, [{"scale": 0.0001, "offset": -0.1}])
    assert "the STAC item says" in refused(item=old, assets=("blue", "swir16"))
    assert "the tags of the file says" in refused(tags={"QUANTIFICATION": "10000", "PROCESSING_BASELINE": "04.00"})


def test_two_that_agree_are_one() -> None:
    tags = {"QUANTIFICATION": "10000", "BOA_ADD_OFFSET": "-1000", "PROCESSING_BASELINE": "04.00"}
    assert numbers(tags=tags, scales=(1e-4, 1e-4), offsets=(-0.1, -0.1)) == (0.0001, -0.1, -0.1)
    assert read(tags=tags).said_by == "the tags of the file"


def test_a_person_may_say_the_one_that_is_missing() -> None:
    assert numbers(scale=0.0001) == (0.0001, 0, 0)
    assert numbers(tags={"QUANTIFICATION": "10000"}, offset=-0.1) == (0.0001, -0.1, -0.1)
    assert numbers(tags={"PROCESSING_BASELINE": "04.00"}, baseline="02.05") == (0.0001, 0, 0)
    assert "does not say" in refused(offset=-0.1)


def test_fractions_are_reflectance_already_whatever_the_product_was() -> None:
    found = read(dtype="float32", product=product(BOTH))
    assert (found.scales, found.offsets) == ((1, 1), (0, 0))
    assert numbers(dtype="float32", scales=(0.01, 0.01)) == (0.01, 0, 0)


@pytest.mark.parametrize("said", [{"scale": 0.0, "offset": 0.0}, {"scale": np.nan, "offset": 0.0},
    {"scale": 1.0, "offset": np.inf}, {"tags": {"QUANTIFICATION": "0"}}])  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(said: dict[str, Any]) -> None:
    assert "scale" in refused(**said) or "quantification is 0" in refused(**said)


def test_zero_is_no_data_in_a_product_and_the_file_s_own_word_comes_first() -> None:
    assert read(product=product(BOTH)).nodata == 0
    assert read(name=BASELINE_04).nodata == 0
    assert read(product=product(BOTH), nodata=65535).nodata == 65535
    assert read(scale=1.0).nodata is None


def test_no_data_that_the_type_cannot_hold_is_none() -> None:
    assert nodata_for("uint16", 65535) == 65535
    assert nodata_for("uint16", -9999) is None
    assert nodata_for("uint8", 0.5) is None
    assert nodata_for("float32", -9999.5) == -9999.5
    assert nodata_for("uint8", None) is None


def test_saturated_pixels_are_those_with_the_highest_number_in_any_band() -> None:
    data = np.array([[[1000, 65535, 12_000]], [[1000, 1000, 65534]]], np.uint16)
    assert saturated(data).tolist() == [[False, True, False]]
    assert saturated(np.array([[[255, 254]]], np.uint8)).tolist() == [[True, False]]
    assert saturated(np.array([[[0.5, 1.5, np.nan]]], np.float32)).tolist() == [[False, False, False]]
