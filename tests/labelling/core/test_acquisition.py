from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelling.core.acquisition import acquired_from, level_from, moment, sensor_from

PRODUCT = "S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE"
AT = datetime(2022, 10, 5, 11, 54, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2022-10-05T11:54:11Z",
        "20221005T115411",
        "2022:10:05 11:54:11",
        "2022-10-05T13:54:11+02:00",
        " 2022-10-05T11:54:11 ",
    ],
)
def test_a_time_may_be_written_in_many_ways(text: str) -> None:
    assert moment(text) == AT


@pytest.mark.parametrize(
    "text", ["", "yesterday", "0000:00:00 00:00:00", "1961-01-01", "2999-01-01", "2022-13-01", "9" * 99]
)
def test_what_is_no_time_of_an_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time|before the first Landsat"):
        moment(text)


@given(st.datetimes(datetime(1973, 1, 1), datetime(2025, 1, 1)))
def test_a_time_survives_being_written_and_read(when: datetime) -> None:
    assert moment(when.isoformat()) == when.replace(tzinfo=UTC)
    assert moment(f"{when:%Y:%m:%d %H:%M:%S}") == when.replace(tzinfo=UTC, microsecond=0)


@pytest.mark.parametrize(
    ("name", "tags", "since"),
    [
        ("a.tif", {"ACQUIRED_AT": "2022-10-05T11:54:11Z", "PRODUCT": PRODUCT}, AT),
        ("a.tif", {"PRODUCT": PRODUCT, "TIFFTAG_DATETIME": "2023:01:01 00:00:00"}, AT),
        (PRODUCT, {}, AT),
        ("T29UNU_20221005T115411_B04_10m.tif", {}, AT),
        ("S2A2A_20170703_022_Barbellino_BOA_10.tif", {}, datetime(2017, 7, 3, tzinfo=UTC)),
        ("a.tif", {"TIFFTAG_DATETIME": "2022:10:05 11:54:11"}, AT),
        ("a.tif", {"TIFFTAG_DATETIME": "0000:00:00 00:00:00"}, None),
        ("chip_20221005.tif", {}, None),
        ("chip_001.tif", {"PRODUCT": "Sentinel-2 L1C TOA reflectance, 2021 median composite"}, None),
    ],
)
def test_the_time_of_an_image_comes_from_what_says_it_best(
    name: str, tags: dict[str, str], since: datetime | None
) -> None:
    assert acquired_from(name, tags) == (since, None)


def test_a_composite_says_its_end() -> None:
    tags = {"ACQUIRED_AT": "2021-01-01", "ACQUIRED_UNTIL": "2021-12-31"}
    since, until = acquired_from("a.tif", tags)
    assert since is not None
    assert until is not None
    assert until - since == timedelta(days=364)


def test_a_tag_that_means_to_say_the_time_and_does_not_is_a_fault() -> None:
    with pytest.raises(ValueError, match="is not a time"):
        acquired_from("a.tif", {"ACQUIRED_AT": "last summer"})


@pytest.mark.parametrize(
    ("name", "tags", "level", "sensor"),
    [
        (PRODUCT, {}, "L2A", "sentinel-2"),
        ("a.tif", {"PRODUCT": PRODUCT.replace("2A_2", "1C_2")}, "L1C", "sentinel-2"),
        ("a.tif", {"PRODUCT": "Sentinel-2 L1C TOA reflectance"}, "L1C", "sentinel-2"),
        ("S2A1C_20170703_022_TOA.tif", {}, "L1C", "sentinel-2"),
        ("T29UNU_20221005T115411_B04_10m.tif", {"PROCESSING_LEVEL": "Level-2A"}, "L2A", "sentinel-2"),
        ("landsat.tif", {}, "", ""),
        ("XL2AB.tif", {}, "", ""),
    ],
)
def test_level_and_sensor_are_said_or_left_open(name: str, tags: dict[str, str], level: str, sensor: str) -> None:
    assert (level_from(name, tags), sensor_from(name, tags)) == (level, sensor)
