"""Versions of a source: what is added, changed and taken back, and that nothing that was written ever changes."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from labelling.models import Proposal, Retirement, SeedImport, Site
from labelling.services.decisions import Submission, submit_decision
from labelling.services.lifelines import life_of
from labelling.services.seeds import SeedReport, import_seeds
from labelling.services.seeds.versions import changes_of
from labelling.services.sites import TAKEN_BACK
from tests.cast import Cast
from tests.seed_files import feature, write_geojson, write_geopackage

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]
MAPPING = {"id": "id", "name": "name"}


def load(folder: Path, rows: list[dict[str, Any]], **more: Any) -> SeedReport:
    path = write_geojson(folder / "mines.geojson", *rows)
    options: dict[str, Any] = {
        "source_name": "survey",
        "kind": "labelled",
        "mapping": MAPPING,
        "is_whole": True,
        **more,
    }
    return import_seeds(path=path, **options)


def row(number: int, lon: float, code: str | None = "pit", **more: Any) -> dict[str, Any]:
    return feature(Point(lon, -11), id=number, name=f"mine {number}", mine_type=code, **more)


def figures(report: SeedReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.known, report.retired


def standing() -> dict[str, Proposal]:
    return {one.external_id: one for one in Proposal.objects.standing()}


def test_a_new_version_adds_changes_and_takes_back(tmp_path: Path) -> None:
    load(tmp_path, [row(1, 25), row(2, 26), row(3, 27), row(4, 28)])
    before = list(Proposal.objects.values())
    report = load(tmp_path, [row(1, 25), row(2, 26, "pond"), row(3, 27.5), row(5, 29)])
    assert figures(report) == (1, 2, 1, 1)
    assert set(standing()) == {"1", "2", "3", "5"}
    assert [standing()[name].revision for name in ("1", "2", "3", "5")] == [0, 1, 1, 0]
    assert list(Proposal.objects.order_by("pk").values()[: len(before)]) == before
    pond = Site.objects.get(pk=standing()["2"].site_id)
    assert (pond.types(), Site.objects.filter(name="mine 2").count()) == ({"feature": "pond"}, 1)
    assert standing()["3"].site.point.x == 27.5
    places = {site.point.x: site for site in Site.objects.all()}
    for left in (places[27], places[28]):
        assert (left.types(), left.why, left.priority, left.state) == ({}, TAKEN_BACK, -1.0, "open")


def test_the_page_of_an_import_tells_its_diff_from_the_rows(tmp_path: Path) -> None:
    load(tmp_path, [row(1, 25, status="open"), row(2, 26)])
    load(tmp_path, [row(1, 25, status="closed"), row(2, 26.001, "pond")])
    seed_import = SeedImport.objects.latest("pk")
    first, second = changes_of(seed_import=seed_import, most=10)
    assert (first.what, first.attributes) == (("attributes",), {"status": ("open", "closed")})
    assert second.what == ("geometry", "type", "attributes")


def test_a_part_of_a_source_takes_nothing_back(tmp_path: Path) -> None:
    load(tmp_path, [row(1, 25), row(2, 26)])
    report = load(tmp_path, [row(3, 27)], is_whole=False)
    assert (figures(report), report.missing) == ((1, 0, 0, 0), 2)
    assert not Retirement.objects.exists()


def test_a_claim_that_comes_back_is_a_new_revision(tmp_path: Path) -> None:
    load(tmp_path, [row(1, 25), row(2, 26)])
    assert figures(load(tmp_path, [row(1, 25)])) == (0, 0, 1, 1)
    assert figures(load(tmp_path, [row(1, 25), row(2, 26)])) == (1, 0, 1, 0)
    assert standing()["2"].revision == 1
    assert Site.objects.count() == 2
    assert Site.objects.get(pk=standing()["2"].site_id).types() == {"feature": "open_pit"}


def test_the_claim_of_a_row_that_cannot_be_read_stands(tmp_path: Path) -> None:
    load(tmp_path, [row(1, 25), row(2, 26)])
    report = load(tmp_path, [row(1, 25), feature(Point(200, 0), id=2)], skip_bad_rows=True)
    assert (figures(report), set(standing())) == ((0, 0, 1, 0), {"1", "2"})


def test_a_verified_label_stays_and_the_site_tells_what_happened(tmp_path: Path, cast: Cast) -> None:
    load(tmp_path, [row(1, 25), row(2, 26)])
    site = standing()["1"].site
    types = {"feature": "tailings_storage_facility"}
    submission = Submission(
        key=uuid4(), verdict="fix", site_id=site.pk, base_version=site.version, types=types, geometry=None
    )
    submit_decision(user=cast.ana, submission=submission)
    load(tmp_path, [row(2, 26)])
    site.refresh_from_db()
    assert (site.state, site.types()) == ("verified", types)
    told = [event.title for event in life_of(site=site, user=cast.lea)]
    assert "survey took its claim back" in told


def test_another_mapping_of_the_same_file_is_a_change(tmp_path: Path) -> None:
    rows = [feature(Point(25, -11), id=1, ore="cu")]
    load(tmp_path, rows, mapping={"id": "id"})
    report = load(tmp_path, rows, mapping={"id": "id", "commodity": {"column": "ore"}})
    assert figures(report) == (0, 1, 0, 0)
    assert Site.objects.get().types() == {"commodity": "copper"}


def test_the_same_claim_in_another_format_is_no_change(tmp_path: Path) -> None:
    load(tmp_path, [feature(Point(25.123456789, -11), name="A", id="1")])
    path = write_geopackage(tmp_path / "mines.gpkg", [(Point(25.12345679, -11), {"name": "A", "id": "1"})])
    mapping = {**MAPPING}
    report = import_seeds(path=path, source_name="survey", kind="labelled", mapping=mapping, is_whole=True)
    assert (report.added, report.retired, report.sites) == (0, 0, 0)


CODES = st.sampled_from(["pit", "pond", "tailings", None])
VERSION = st.dictionaries(
    st.integers(1, 5), st.tuples(st.integers(0, 6), CODES, st.sampled_from(["a", "b"])), max_size=5
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(versions=st.lists(VERSION.filter(bool), min_size=1, max_size=4), run=st.randoms())
def test_after_any_versions_the_source_says_what_the_last_one_says(
    tmp_path: Path, versions: list[dict[int, tuple[int, str | None, str]]], run: Any
) -> None:
    name = f"source {run.random()}"
    seen: dict[Any, dict[str, Any]] = {}
    for version in versions:
        rows = [row(number, 10 + lon, code, status=status) for number, (lon, code, status) in version.items()]
        before = {one.external_id for one in Proposal.objects.standing().filter(source__name=name)}
        report = load(tmp_path, rows, source_name=name)
        assert report.added + report.changed + report.known == len(version)
        assert report.retired == len(before - {str(number) for number in version})
        for fields in map(dict, Proposal.objects.filter(source__name=name).values()):
            assert seen.setdefault(fields["id"], fields) == fields, "a written proposal has changed"
        assert figures(load(tmp_path, rows, source_name=name)) == (0, 0, len(version), 0), "again adds nothing"
        said = {one.external_id: one for one in Proposal.objects.standing().filter(source__name=name)}
        assert set(said) == {str(number) for number in version}
        codes = {"pit": "open_pit", "pond": "pond", "tailings": "tailings_storage_facility"}
        for number, (lon, code, status) in version.items():
            one = said[str(number)]
            assert (one.geometry.x, one.properties["status"]) == (10 + lon, status)
            assert one.types == ({"feature": [[codes[code], None]]} if code else {})
