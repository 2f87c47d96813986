from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from shapely.geometry import Point, Polygon, box

from labelling.models import Proposal, SeedImport, Site, Source
from tests.seed_files import feature, write_geojson, write_geopackage, write_shapefile

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

SQUARE = box(25, -11, 25.01, -10.99)
GOOD = feature(SQUARE, mine_type="tailings")
BOW_TIE = feature(Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), mine_type="pit")


def run(path: Path, *more: str) -> str:
    out = StringIO()
    call_command("import_seeds", str(path), "--source", "surveys", *more, stdout=out)
    return out.getvalue()


def refusal(path: Path, *more: str) -> str:
    with pytest.raises(CommandError) as caught:
        run(path, *(more or ("--kind", "labelled")))
    assert not any(model.objects.exists() for model in (Source, SeedImport, Site, Proposal))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def raw(folder: Path, text: str | bytes) -> Path:
    path = folder / "bad.geojson"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (BOW_TIE, "row 2: it crosses itself (self-intersection at 0.5 0.5): draw its outline anew"),
        (feature(Point(200, 5)), "row 2: longitude 200 is outside -180 to 180: is its CRS the right one?"),
        (feature({"type": "Point", "coordinates": [float("nan"), 5]}), "row 2: nan 5 is not a place"),
        (feature({"type": "Point", "coordinates": [float("inf"), 5]}), "row 2: inf 5 is not a place"),
        (feature({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}), "row 2: a LineString: only points"),
        (feature(SQUARE, mine_type="volcano"), "row 2: no mine type 'volcano'; the codes are artisanal, "),
        (feature(box(3, 3, 3, 4)), "row 2: "),
    ],
)
def test_a_bad_row_is_one_clear_line_and_no_half_import(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    told = refusal(write_geojson(tmp_path / "bad.geojson", GOOD, row))
    assert told.startswith(f"bad.geojson, {reason}")
    assert told.endswith("; nothing was imported, --skip-bad-rows takes the other rows")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bad.geojson: the file is empty"),
        ('{"type": "FeatureCollection", "features": []}', "bad.geojson: holds no rows"),
        ('{"type": "FeatureCollection", "feat', "bad.geojson: not JSON at line 1"),
        ('{"type": "é"}'.encode("latin-1"), "bad.geojson: not UTF-8 text (byte 0xe9 at 10): save it as UTF-8"),
        (
            "<kml/>\n",
            "bad.geojson: not GeoJSON, GeoPackage, Shapefile, FlatGeobuf, GeoParquet, CSV or XLSX by its first",
        ),
        ("id;name\n1;x\n", "bad.geojson, row 2: it has no geometry"),
    ],
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, text: str | bytes, reason: str) -> None:
    assert refusal(raw(tmp_path, text)).startswith(reason)


def test_a_file_without_a_crs_is_refused(tmp_path: Path) -> None:
    assert "it has no CRS" in refusal(write_geopackage(tmp_path / "a.gpkg", [(SQUARE, {})], srs_id=-1))
    path = write_shapefile(tmp_path / "a.shp", [(SQUARE, {"name": "x"})])
    path.with_suffix(".prj").unlink()
    assert "a.prj (its CRS) is missing" in refusal(path)


def test_an_unknown_type_or_mapping_is_refused_outright(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", GOOD)
    assert "no mine type 'volcano'; the codes are" in refusal(path, "--kind", "labelled", "--type", "volcano")
    assert "nowhere.json: no such mapping" in refusal(path, "--kind", "labelled", "--mapping", "nowhere.json")
    broken = tmp_path / "map.json"
    broken.write_text("{")
    assert "map.json: not JSON" in refusal(path, "--kind", "labelled", "--mapping", str(broken))
    broken.write_text('{"feature": {"value": "volcano"}}')
    assert "no mine type 'volcano'" in refusal(path, "--kind", "labelled", "--mapping", str(broken))


def test_a_dry_run_shows_everything_writes_nothing_and_fails_where_the_import_would(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "a.geojson", GOOD, feature(None), BOW_TIE)
    with pytest.raises(CommandError, match=r"row 2: it has no geometry \(and 1 more rows\)"):
        run(path, "--kind", "labelled", "--dry-run")
    out = run(path, "--kind", "labelled", "--dry-run", "--skip-bad-rows")
    assert "a.geojson, row 2: it has no geometry\n" in out
    assert "a.geojson, row 3: it crosses itself" in out
    assert "would be imported: 3 rows, 1 added, 0 known, 0 changed, 0 retired, 0 missing, 1 sites" in out
    assert not Source.objects.exists()


def test_good_rows_come_in_and_the_rest_is_told(tmp_path: Path) -> None:
    touching = Polygon([(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 1)])
    path = write_geojson(tmp_path / "a.geojson", GOOD, feature(touching, mine_type="pit"), BOW_TIE)
    out = run(path, "--kind", "labelled", "--skip-bad-rows")
    assert "geometry repaired in row 2\n" in out
    assert "imported: 3 rows, 2 added" in out
    assert Site.objects.count() == 2


def test_values_without_a_type_are_listed(tmp_path: Path) -> None:
    rows = [feature(Point(x, 0), **{"class": value}) for x, value in enumerate((5, 12, 12))]
    out = run(write_geojson(tmp_path / "a.geojson", *rows), "--kind", "labelled", "--mapping", "lames")
    assert "2 rows with class: 12 have no type in the mapping" in out


def test_regions_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"a.geojson: no column ECO_ID"):
        call_command("import_regions", str(write_geojson(tmp_path / "a.geojson", GOOD)))


def test_regions_say_what_came_in(tmp_path: Path) -> None:
    row = feature(SQUARE, ECO_ID=1, ECO_NAME="a", BIOME_NUM=1, BIOME_NAME="b", REALM="c")
    out = StringIO()
    call_command("import_regions", str(write_geojson(tmp_path / "eco.geojson", row)), stdout=out)
    assert out.getvalue() == "eco.geojson: 1 regions added, 0 known, 0 sites have a new region\n"
