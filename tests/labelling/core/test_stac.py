"""STAC items and catalogues: what of them is a band, what they may point at, and what is refused."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from labelling.core.errors import BadInput, BadRaster
from labelling.core.stac import search_stac
from labelling.core.stac_items import read_item, trim_item
from labelling.core.stac_search import StacSearch
from tests.servers import FileServer, file_server, redirects_to
from tests.stac_api import START, collection_of, item_of

LINK = "https://stac.example.org/items/a.json"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def trimmed(assets: dict[str, Any], link: str = LINK, **properties: Any) -> dict[str, Any]:
    item = item_of(0, hrefs={}, lon=0, **properties)
    item["assets"] = {key: {"type": COG, **asset} for key, asset in assets.items()}
    return trim_item(item, link=link)


def test_bands_are_known_by_key_common_name_or_band_and_pictures_are_left_out() -> None:
    item = trimmed(
        {
            "red": {"href": "https://h/B04.tif", "eo:bands": [{"name": "red", "common_name": "red"}]},
            "red-jp2": {"href": "https://h/B04.jp2", "type": "image/jp2", "eo:bands": [{"name": "red"}]},
            "rededge1": {"href": "https://h/B05.tif", "roles": ["data", "reflectance"]},
            "nir08": {"href": "./B8A.tif"},
            "visual": {"href": "https://h/TCI.tif", "eo:bands": [{"name": "red"}, {"name": "green"}, {"name": "blue"}]},
            "scl": {"href": "https://h/SCL.tif", "roles": ["data"]},
            "thumbnail": {"href": "https://h/p.jpg", "type": "image/jpeg", "roles": ["thumbnail"]},
            "meta": {"href": "https://h/m.xml", "type": "application/xml", "roles": ["metadata"]},
        }
    )
    found = read_item(item, link=LINK, bands=None)
    assert [file.band for file in found.files] == ["B04", "B05", "B8A"]
    assert found.files[0].path == "https://h/B04.tif"
    assert found.files[2].path == "https://stac.example.org/items/B8A.tif"
    assert found.said.companions.scl == "https://h/SCL.tif"
    assert [file.band for file in read_item(item, link=LINK, bands=("B8A", "B04")).files] == ["B8A", "B04"]
    with pytest.raises(BadRaster, match="no asset is the band B12"):
        read_item(item, link=LINK, bands=("B12",))


def test_one_image_of_several_bands_is_read_as_one_file() -> None:
    bands = [{"name": "B02"}, {"name": "B03"}, {"common_name": "nir"}]
    found = read_item(trimmed({"image": {"href": "https://h/a.tif", "bands": bands}}), link=LINK, bands=None)
    assert (found.names, len(found.files), found.said.assets) == (("B02", "B03", "B08"), 1, ("image",) * 3)


def test_what_the_item_says_takes_the_place_of_tags() -> None:
    properties = {"s2:product_uri": "S2B_MSIL2A_20220301T130000_N0400_R1_T21KXX_20220301T150000.SAFE"}
    said = read_item(trimmed({"B04": {"href": "https://h/a.tif"}}, **properties), link=LINK, bands=None).said
    assert said.tags["PRODUCT"].startswith("S2B_MSIL2A")
    assert said.tags["ACQUIRED_AT"] == "2022-03-01T13:00:00Z"


@pytest.mark.parametrize(
    "href", ["/etc/passwd.tif", "file:///etc/passwd.tif", "../../../../etc/x.tif?", "/vsicurl/x.tif"]
)
def test_a_remote_item_names_no_file_of_this_machine(href: str) -> None:
    item = trimmed({"B04": {"href": href}})
    try:
        found = read_item(item, link=LINK, bands=None)
    except BadRaster as error:
        assert "names a file of this one" in str(error)
    else:
        assert found.files[0].path.startswith("https://stac.example.org/")


def test_items_that_are_none_are_refused_and_large_ones_are_cut() -> None:
    for bad in ({}, {"id": "a", "assets": [], "properties": {}}, {"id": 7, "assets": {}, "properties": {}}):
        with pytest.raises(BadRaster, match="not a STAC item"):
            trim_item(bad, link=LINK)
    with pytest.raises(BadRaster, match="none of its 0 image assets"):
        read_item(trimmed({"x": {"href": "a.jpg", "type": "image/jpeg"}}), link=LINK, bands=None)
    many = trimmed({f"b{number}": {"href": "a.tif"} for number in range(5000)}, deep={"a": [1] * 9000})
    assert len(many["assets"]) == 200
    assert "deep" not in many["properties"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with file_server(tmp_path) as server:
        monkeypatch.setenv("MAD_REMOTE_HOSTS", server.origin)
        monkeypatch.setenv("MAD_REMOTE_NETWORKS", "127.0.0.0/8")
        monkeypatch.setenv("MAD_REMOTE_TIMEOUT_S", "30")
        yield server


def catalogue(folder: Path, hrefs: list[str], rel: str = "item") -> Path:
    said = collection_of() | {"links": [{"rel": rel, "href": href} for href in hrefs]}
    path = folder / "collection.json"
    path.write_text(json.dumps(said))
    return path


def test_a_static_catalogue_is_searched_by_place_time_cloud_and_collection(tmp_path: Path) -> None:
    for number in range(6):
        item = item_of(number, hrefs={"B04": "a.tif"}, lon=-60.0 + number)
        item["properties"]["eo:cloud_cover"] = 10.0 * number
        (tmp_path / f"{number}.json").write_text(json.dumps(item))
    url = str(catalogue(tmp_path, [f"{number}.json" for number in range(6)]))
    searches = {
        6: StacSearch(url),
        4: StacSearch(url, max_cloud=30),
        2: StacSearch(url, bbox=(-60, -22, -58.5, -20)),
        3: StacSearch(url, since=START + timedelta(days=3)),
        1: StacSearch(url, until=datetime(2022, 3, 2, tzinfo=UTC), collections=("mines",)),
        0: StacSearch(url, collections=("others",)),
        5: StacSearch(url, most=5),
    }
    for count, search in searches.items():
        assert len(list(search_stac(StacSearch.from_json(search.to_json()), roots=(tmp_path,)))) == count
    over = StacSearch(url, bbox=(179, -22, -59.5, -20))
    assert [item["id"] for _, item in search_stac(over)] == ["S2A_000"]


@pytest.mark.parametrize(
    "href", ["/etc/hostname", "file:///etc/hostname", "http://169.254.169.254/latest", "http://127.0.0.1:1/x"]
)
@pytest.mark.parametrize("rel", ["item", "child"])
def test_a_remote_catalogue_leads_nowhere_else(files: FileServer, href: str, rel: str) -> None:
    catalogue(files.root, [href], rel)
    with pytest.raises(BadInput):
        list(search_stac(StacSearch(files.url("collection.json"))))
    assert len(files.requests) <= 2


def test_a_catalogue_of_this_machine_stays_below_the_roots(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.json").write_text(json.dumps(item_of(0, hrefs={}, lon=0)))
    path = catalogue(tmp_path / "in", ["../secret.json"])
    with pytest.raises(BadInput, match="MAD_SCENE_ROOTS"):
        list(search_stac(StacSearch(str(path)), roots=(tmp_path / "in",)))


@pytest.mark.parametrize(
    "body",
    ["", "[]", "null", "{}", '{"type": "Catalog"}', '{"type": "Collection", "id": 5}', "[" * 5000, "<html>", "\xff"],
)
def test_what_is_no_catalogue_is_refused(files: FileServer, body: str) -> None:
    (files.root / "c.json").write_bytes(body.encode("latin-1"))
    with pytest.raises(BadInput):
        list(search_stac(StacSearch(files.url("c.json"))))


def test_a_catalogue_that_redirects_to_the_cloud_s_own_address_is_refused(files: FileServer) -> None:
    files.bad = redirects_to("http://169.254.169.254/latest/meta-data/")
    with pytest.raises(BadInput, match="MAD_REMOTE_HOSTS"):
        list(search_stac(StacSearch(files.url("c.json"))))


@pytest.mark.parametrize("text", ["1,2,3", "a,b,c,d", "0,5,1,4", "0,0,0,1", "-181,0,1,1", "nan,0,1,1", "0,0,inf,1"])
def test_a_box_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="west,south,east,north"):
        StacSearch.box_of(text)
    assert StacSearch.box_of(" ") is None
    assert StacSearch.box_of("170, -5, -170, 5") == (170, -5, -170, 5)
