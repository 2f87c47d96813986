from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from labelling.core.errors import BadInput
from labelling.models import Proposal, SeedImport, Site, Source
from labelling.services.seeds import SeedReport, import_seeds
from tests.cast import Cast
from tests.seed_files import feature, write_geojson

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]

SQUARE = box(25, -11, 25.01, -10.99)


def load(path: Path, **more: Any) -> SeedReport:
    options: dict[str, Any] = {"source_name": "surveys", "kind": "labelled", "skip_bad_rows": True, **more}
    return import_seeds(path=path, **options)


def written() -> tuple[int, int, int, int]:
    return Source.objects.count(), SeedImport.objects.count(), Site.objects.count(), Proposal.objects.count()


@pytest.fixture
def mines(tmp_path: Path) -> Path:
    return write_geojson(
        tmp_path / "mines.geojson",
        feature(SQUARE, id=1, name="Mutanda", mine_type="tailings"),
        feature(Point(26, -11), id=2, name="Kamoto", mine_type="pit"),
        feature(Point(26, -11.0001), id=3, name="KOV", mine_type="pit"),
        feature(Point(27, -11), id=4, name="unknown", mine_type=None),
        feature(None, id=5, name="nowhere"),
    )


def test_an_import_says_what_it_did_and_keeps_it(mines: Path, cast: Cast) -> None:
    mapping = {"id": "id", "name": "name"}
    report = load(mines, mapping=mapping, licence="CC BY 4.0", citation="Survey 2024", user=cast.ada)
    assert report.counts() == {
        "rows": 5, "added": 4, "known": 0, "changed": 0, "retired": 0, "missing": 0, "sites": 3, "merged": 1,
        "repaired": 0, "split": 0, "typed": 3,
        "untyped": 1, "left_out": 0, "empty": 0, "refused": 1,
    }  # fmt: skip
    seed_import = SeedImport.objects.get()
    assert seed_import.counts == report.counts()
    assert seed_import.refused == [{"row": 5, "reason": "it has no geometry"}]
    assert (seed_import.created_by, seed_import.mapping, seed_import.file_name) == (cast.ada, mapping, mines.name)
    source = Source.objects.get()
    assert (source.licence, source.citation, source.mapping) == ("CC BY 4.0", "Survey 2024", mapping)
    assert set(Proposal.objects.values_list("seed_import", flat=True)) == {seed_import.pk}
    assert Site.objects.get(name="Mutanda").types() == {"feature": "tailings_storage_facility"}


def test_a_dry_run_reports_the_same_and_writes_nothing(mines: Path) -> None:
    would = load(mines, dry_run=True)
    assert written() == (0, 0, 0, 0)
    assert would.counts() == load(mines).counts()


def test_importing_a_file_twice_adds_nothing(mines: Path) -> None:
    load(mines)
    before = written()
    again = load(mines)
    assert (again.added, again.sites, again.merged, again.known) == (0, 0, 0, 4)
    assert written() == before


def test_a_grown_file_adds_what_is_new_and_a_row_of_its_own(mines: Path, tmp_path: Path) -> None:
    load(mines, mapping={"id": "id"})
    grown = write_geojson(
        tmp_path / "grown.geojson",
        feature(SQUARE, id=1, name="Mutanda", mine_type="tailings"),
        feature(Point(28, -11), id=6, mine_type="pit"),
    )
    assert (load(grown, mapping={"id": "id"}).added, SeedImport.objects.count()) == (1, 2)


def test_one_source_has_one_kind(mines: Path) -> None:
    load(mines)
    with pytest.raises(BadInput, match="'surveys' is of the kind labelled: give this one another name"):
        load(mines, kind="polygons")
    with pytest.raises(BadInput, match="is of the kind labelled"):
        load(mines, synthetic=True)


def test_a_later_import_keeps_the_licence_that_is_known(mines: Path) -> None:
    load(mines, licence="CC BY 4.0")
    load(mines)
    assert Source.objects.get().licence == "CC BY 4.0"


@pytest.mark.parametrize("kind", ["model", "person", "gold"])
def test_only_seeds_are_imported(mines: Path, kind: str) -> None:
    with pytest.raises(BadInput, match="the kinds are cobalt, labelled, polygons, negatives"):
        load(mines, kind=kind)
    assert written() == (0, 0, 0, 0)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121])
def test_a_source_has_a_name(mines: Path, name: str) -> None:
    with pytest.raises(BadInput, match="name the source"):
        load(mines, source_name=name)


def test_a_faulty_row_stops_everything_unless_it_may_be_skipped(tmp_path: Path) -> None:
    path = write_geojson(
        tmp_path / "mines.geojson",
        feature(SQUARE),
        feature(Point(200, 0)),
        feature({"type": "Point", "coordinates": ["x", 0]}),
    )
    with pytest.raises(BadInput, match=r"mines.geojson, row 2: longitude 200 .* \(and 1 more rows\); nothing was"):
        load(path, skip_bad_rows=False)
    assert written() == (0, 0, 0, 0)
    assert len(load(path, dry_run=True).refused) == 2
    assert load(path, skip_bad_rows=True).added == 1
    assert [row["row"] for row in SeedImport.objects.get().refused] == [2, 3]


def test_progress_is_told(mines: Path) -> None:
    told: list[str] = []
    load(mines, on_progress=told.append)
    assert told == ["reading mines.geojson", "placing 4 claims"]


def test_synthetic_seeds_make_synthetic_sites(mines: Path) -> None:
    load(mines, synthetic=True)
    assert set(Site.objects.values_list("synthetic", flat=True)) == {True}


CORNER = st.tuples(st.integers(-1700, 1700), st.integers(-800, 800), st.sampled_from(["pit", "pond", None]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(rows=st.lists(CORNER, min_size=1, max_size=8), again=st.randoms())
def test_whatever_a_file_holds_importing_it_again_adds_nothing(
    tmp_path: Path, rows: list[tuple[int, int, str | None]], again: Any
) -> None:
    features = [feature(box(x / 10, y / 10, x / 10 + 0.05, y / 10 + 0.05), mine_type=code) for x, y, code in rows]
    name = f"source {again.random()}"
    first = load(write_geojson(tmp_path / "any.geojson", *features), source_name=name)
    before = written()
    again.shuffle(features)
    second = load(write_geojson(tmp_path / "shuffled.geojson", *features), source_name=name)
    assert first.added + first.known == second.known == len(rows)
    assert (second.added, second.sites, second.merged) == (0, 0, 0)
    assert written()[2:] == before[2:]
