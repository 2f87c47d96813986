from pathlib import Path

import pytest
from django.conf import settings

from labelling.core.errors import BadInput
from labelling.core.products import BANDS, find_product, find_sun, has_offset, read_product, read_sun

URI = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
T29 = settings.SHARED_DATA / "imagery" / "t29unu_l2a_11band"
OFFSETS = "".join(f'<BOA_ADD_OFFSET band_id="{place}">{-1000 - place}</BOA_ADD_OFFSET>' for place in range(13))


def product_xml(
    *,
    level: str = "2A",
    baseline: str = "04.00",
    offsets: str = OFFSETS,
    quantification: str = "<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE>",
    uri: str = URI,
    before: str = "",
) -> str:
    return (
        f'<?xml version="1.0"?>{before}<n1:Level-2A_User_Product xmlns:n1="https://esa.int/x.xsd"><General_Info>'
        f"<PRODUCT_URI>{uri}</PRODUCT_URI><PROCESSING_LEVEL>Level-{level}</PROCESSING_LEVEL>"
        f"<PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE>{quantification}{offsets}"
        "<Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>"
        "</Special_Values></General_Info></n1:Level-2A_User_Product>"
    )


@pytest.fixture
def xml(tmp_path: Path) -> Path:
    path = tmp_path / "MTD_MSIL2A.xml"
    path.write_text(product_xml(), encoding="utf-8")
    return path


def refused(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_product(path)
    return str(caught.value)


def test_a_product_gives_each_band_its_own_offset(xml: Path) -> None:
    product = read_product(xml)
    assert (product.level, product.baseline, product.quantification, product.nodata) == ("L2A", "04.00", 10000, 0)
    assert product.offsets == {band: -1000 - place for place, band in enumerate(BANDS)}


def test_a_product_of_level_1c_has_other_names_for_the_same(xml: Path) -> None:
    offsets = '<RADIO_ADD_OFFSET band_id="8">-1000</RADIO_ADD_OFFSET>'
    quantification = "<QUANTIFICATION_VALUE>10000</QUANTIFICATION_VALUE>"
    xml.write_text(product_xml(level="1C", offsets=offsets, quantification=quantification), encoding="utf-8")
    product = read_product(xml)
    assert (product.level, dict(product.offsets)) == ("L1C", {"B8A": -1000})


def test_before_baseline_04_there_is_no_offset(xml: Path) -> None:
    old = "<L2A_BOA_QUANTIFICATION_VALUE>10000</L2A_BOA_QUANTIFICATION_VALUE>"
    xml.write_text(product_xml(baseline="02.05", offsets="", quantification=old), encoding="utf-8")
    assert read_product(xml).offsets == {}
    assert [has_offset(one) for one in ("02.05", "03.01", "04.00", "05.11")] == [False, False, True, True]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "cannot be read as the XML of a product: no element found"),
        ("<a>", "cannot be read as the XML"),
        (product_xml(level="1B"), "its level is L1B"),
        (product_xml(baseline="new"), "its processing baseline is 'new'"),
        (product_xml(offsets=""), "baseline 04.00 has offsets, but it names no BOA_ADD_OFFSET"),
        (product_xml(offsets='<BOA_ADD_OFFSET band_id="13">1</BOA_ADD_OFFSET>'), "names the band '13'"),
        (product_xml(offsets='<BOA_ADD_OFFSET band_id="1">nan</BOA_ADD_OFFSET>'), "BOA_ADD_OFFSET is 'nan'"),
        (product_xml(quantification=""), "names no BOA_QUANTIFICATION_VALUE"),
        (product_xml(quantification="<BOA_QUANTIFICATION_VALUE>0</BOA_QUANTIFICATION_VALUE>"), "must be above 0"),
        (product_xml(uri=""), "names no PRODUCT_URI"),
        (product_xml(before='<!DOCTYPE a [<!ENTITY b "c">]>'), "has a DOCTYPE"),
    ],
)  # fmt: skip
def test_what_is_no_product_is_refused_with_its_name(xml: Path, text: str, reason: str) -> None:
    said = refused(xml, text)
    assert said.startswith("MTD_MSIL2A.xml: ")
    assert reason in said


def test_entities_are_refused_in_every_encoding_before_they_grow(xml: Path) -> None:
    layers = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9))
    bomb = f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY a0 "ha">{layers}]><a>&a8;</a>'
    xml.write_bytes(bomb.encode("utf-16"))
    with pytest.raises(BadInput, match="has a DOCTYPE"):
        read_product(xml)


def test_an_xml_beside_an_image_counts_only_where_it_is_of_that_image(xml: Path) -> None:
    mine = xml.with_name("T29UNU_20221005T115411_B04_60m.tif")
    assert find_product(mine, {}) is not None
    assert find_product(mine, {}, level="L1C") is None
    assert find_product(xml.with_name("T29UNU_20221010T115411_B04_60m.tif"), {}) is None
    assert find_product(xml.with_name("T29UNV_20221005T115411_B04_60m.tif"), {}) is None
    assert find_product(xml.with_name("pit.tif"), {}) is None
    assert find_product(xml.with_name("pit.tif"), {"PRODUCT": URI}) is not None
    assert find_product(xml.with_name("T29UNU_20221005T164454_B04.tif"), {}) is None


def test_the_sun_is_read_from_the_granule_beside_the_image(xml: Path) -> None:
    granule = xml.with_name("MTD_TL.xml")
    granule.write_text(
        "<a><Mean_Sun_Angle><ZENITH_ANGLE>57.8</ZENITH_ANGLE><AZIMUTH_ANGLE>172.8</AZIMUTH_ANGLE></Mean_Sun_Angle></a>",
        encoding="utf-8",
    )
    sun = find_sun(xml.with_name("pit.tif"))
    assert sun is not None
    assert [sun.elevation, sun.azimuth] == pytest.approx([32.2, 172.8])
    assert find_sun(xml.parent / "other" / "pit.tif") is None
    granule.write_text("<a/>", encoding="utf-8")
    with pytest.raises(BadInput, match=r"MTD_TL\.xml: it names no Mean_Sun_Angle"):
        read_sun(granule)


@pytest.mark.real
@pytest.mark.skipif(not T29.is_dir(), reason=f"no real product at {T29}: set MAD_SHARED_DATA")
def test_the_real_product_of_baseline_04() -> None:
    product = read_product(T29 / "MTD_MSIL2A.xml")
    assert (product.uri, product.level, product.baseline, product.nodata) == (URI, "L2A", "04.00", 0)
    assert product.offsets == dict.fromkeys(BANDS, -1000)
    assert [product.cloud, product.empty] == pytest.approx([0.5977, 0.4042], abs=1e-4)
    sun = find_sun(T29 / "T29UNU_20221005T115411_BOA_60m_crop600.tif")
    assert sun is not None
    assert sun.elevation == pytest.approx(32.179, abs=0.001)
