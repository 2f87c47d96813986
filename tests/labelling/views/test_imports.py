import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import resolve

from labelling.models import Job, Proposal, Retirement, SeedDraft, SeedImport, Site, Source
from labelling.services.seeds import drafts
from labelling.services.seeds import import_seeds as load
from labelling.tasks import import_seeds, look_at_seeds
from tests.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("taxonomy")]
CHILE = django_settings.SHARED_DATA / "seeds" / "labelled" / "chile_lames_sites_cp1252.csv"
TABLE = "id;name;lat;lon;ore\n1;Compañía;33°30'S;70,5 W;Cu\n2;São;33°40'S;70,5;Xy\n3;Uno;-;-;Au\n"
LATER = "id;name;lat;lon;ore\n1;Compañía;33°30'S;70,5 W;Au\n4;Dos;33°45'S;70,5 W;Cu\n"


@pytest.fixture(autouse=True)
def ada(client: Client, cast: Cast) -> Client:
    client.force_login(cast.ada)
    return client


def bring(client: Client, content: str | bytes, name: str = "mines.csv") -> SeedDraft:
    data = content if isinstance(content, bytes) else content.encode("cp1252")
    answer = client.post("/imports/new/", {"file": SimpleUploadedFile(name, data)})
    assert answer.status_code == 302, answer.content.decode()
    return SeedDraft.objects.get(pk=resolve(answer["Location"]).kwargs["draft_id"])  # the clock may be set back


def fields_of(client: Client, draft: SeedDraft) -> dict[str, Any]:
    """What a browser would post: every field as the page shows it."""
    form = client.get(page_of(draft)).context["form"]
    values = {bound.html_name: bound.value() for bound in form}
    return {name: value for name, value in values.items() if value not in (None, False)}


def page_of(draft: SeedDraft) -> str:
    return f"/imports/drafts/{draft.pk}/"


def choose(client: Client, draft: SeedDraft, **values: Any) -> str:
    answer = client.post(page_of(draft), {**fields_of(client, draft), **values})
    assert answer.status_code == 200
    draft.refresh_from_db()
    return str(answer.content.decode())


def fix(client: Client, draft: SeedDraft, label: str) -> str:
    offers = [offer for finding in draft.preview["findings"] for offer in finding["offers"]]
    return choose(client, draft, fix=json.dumps(dict(offers)[label]))


def written() -> int:
    return Source.objects.count() + SeedImport.objects.count() + Site.objects.count() + Proposal.objects.count()


def test_a_file_is_looked_at_and_nothing_is_written(client: Client) -> None:
    draft = bring(client, TABLE)
    page = client.get(page_of(draft)).content.decode()
    assert "Compañía" in page
    assert "Ada" not in draft.preview
    assert draft.preview["reading"] == {"encoding": "cp1252", "delimiter": ";", "header_rows": 1}
    assert draft.choices["mapping"] == {
        "place": {"lat": "lat", "lon": "lon"}, "id": "id", "name": "name", "commodity": {"column": "ore"},
    }  # fmt: skip
    counts = draft.preview["counts"]
    assert (counts["rows"], counts["added"], counts["refused"], counts["new_sites"]) == (3, 1, 2, 1)
    assert "it has no place: lat and lon are empty" in page
    assert "says neither east nor west; 1 other rows say west" in page
    assert written() == 0


def test_one_click_on_a_guess_changes_it_and_one_takes_it_back(client: Client) -> None:
    draft = bring(client, TABLE)
    fix(client, draft, "Read as west")
    assert draft.preview["counts"]["added"] == 2
    assert draft.preview["map"][1]["geometry"]["coordinates"][0] == -70.5
    assert draft.preview["unmapped"] == [["ore", "Xy", 1]]
    fix(client, draft, "Take back")
    assert draft.preview["counts"]["added"] == 1


def test_types_are_mapped_value_by_value(client: Client) -> None:
    draft = bring(client, TABLE)
    fix(client, draft, "Read as west")
    index = [value for value, _ in draft.preview["columns"][4]["values"]].index("Xy")
    choose(client, draft, **{f"code_commodity_{index}": "cobalt"})
    assert draft.choices["mapping"]["commodity"]["values"] == {"Cu": "copper", "Xy": "cobalt", "Au": "gold"}
    assert draft.preview["counts"]["untyped"] == 0
    choose(client, draft, axis_commodity="=coal", said="name")
    assert draft.choices["mapping"]["commodity"] == {"value": "coal"}
    choose(client, draft, said_0="not_mine", said_1="leave_out")
    assert draft.preview["counts"]["left_out"] == 1


def test_reading_can_be_changed_and_the_columns_are_guessed_anew(client: Client) -> None:
    draft = bring(client, TABLE)
    choose(client, draft, header_rows="0")
    assert draft.preview["columns"][0]["name"] == "column 1"
    page = choose(client, draft, delimiter="|")
    assert "It cannot be read so." in page
    choose(client, draft, delimiter=";", header_rows="1")
    assert draft.preview["counts"]["added"] == 1


def test_refused_rows_are_left_out_only_when_somebody_says_so(client: Client) -> None:
    draft = bring(client, TABLE)
    answer = client.post(f"{page_of(draft)}import/", follow=True)
    assert "nothing was imported" in answer.content.decode()
    assert written() == 0
    choose(client, draft, skip_bad_rows="on")
    answer = client.post(f"{page_of(draft)}import/", follow=True)
    seed_import = SeedImport.objects.get()
    assert answer.redirect_chain[-1][0] == f"/imports/{seed_import.pk}/"
    assert (seed_import.file_name, seed_import.source.name) == ("mines.csv", "mines")
    assert "lat and lon are empty" in answer.content.decode()
    assert not SeedDraft.objects.exists()
    assert client.get("/imports/").status_code == 200


def imported(client: Client, content: str) -> SeedDraft:
    draft = bring(client, content)
    choose(client, draft, skip_bad_rows="on")
    page = client.post(f"{page_of(draft)}import/", follow=True).content.decode()
    assert not SeedDraft.objects.filter(pk=draft.pk).exists(), page  # else it was refused
    return draft


def test_a_second_version_shows_its_diff_before_and_after(client: Client) -> None:
    draft = bring(client, TABLE)
    fix(client, draft, "Read as west")
    choose(client, draft, skip_bad_rows="on")
    client.post(f"{page_of(draft)}import/")
    draft = bring(client, LATER)
    assert (draft.choices["source_name"], draft.choices["guess"]) == ("mines", "source")
    counts = draft.preview["counts"]
    assert (counts["added"], counts["changed"], counts["unchanged"], counts["gone"]) == (1, 1, 0, 1)
    (change,) = draft.preview["changes"]
    assert (change["what"], change["types"]) == (["type", "attributes"], ["copper", "gold"])
    assert change["attributes"] == [["ore", "Cu", "Au"]]
    fix(client, draft, "It is only a part of it")
    assert (draft.preview["counts"]["gone"], draft.preview["counts"]["stay"]) == (0, 1)
    fix(client, draft, "It is the whole new version")
    page = client.post(f"{page_of(draft)}import/", follow=True).content.decode()
    assert "the whole of what the source says" in page
    assert "copper" in page and "gold" in page
    assert Retirement.objects.filter(successor=None).count() == 1
    assert {one.external_id for one in Proposal.objects.standing()} == {"1", "4"}


def test_the_same_file_again_changes_nothing(client: Client) -> None:
    imported(client, TABLE)
    before = written()
    draft = bring(client, TABLE)
    assert (draft.preview["counts"]["unchanged"], draft.preview["counts"]["added"]) == (1, 0)
    choose(client, draft, skip_bad_rows="on")
    client.post(f"{page_of(draft)}import/")
    assert written() == before


def test_rows_that_join_a_site_say_which(client: Client) -> None:
    imported(client, TABLE)
    draft = bring(client, TABLE, name="other.csv")
    choose(client, draft, source_name="another")
    (merge,) = [one for one in draft.preview["merges"] if one["site"]]
    assert (merge["rows"], merge["site"]) == ([2], Site.objects.get().pk)
    assert f"/sites/{merge['site']}/" in client.get(page_of(draft)).content.decode()


def test_a_mapping_is_kept_with_its_source_and_can_be_changed(client: Client) -> None:
    imported(client, TABLE)
    source = Source.objects.get()
    address = f"/imports/sources/{source.pk}/"
    assert "commodity" in client.get(address).content.decode()
    good = json.dumps({"id": "id", "place": {"lat": "lat", "lon": "lon", "unsigned_lon": "W"}})
    assert client.post(address, {"licence": "CC0", "citation": "", "mapping": good}).status_code == 302
    assert bring(client, TABLE).preview["counts"]["refused"] == 1
    for bad in ("{", "[]", '{"feature": {"value": "volcano"}}', '{"place": {"unsigned_lat": "W"}}'):
        answer = client.post(address, {"licence": "", "citation": "", "mapping": bad})
        assert answer.status_code == 200 and answer.context["form"].errors["mapping"]
    source.refresh_from_db()
    assert source.mapping == json.loads(good)


@pytest.mark.parametrize(
    "patch", ["", "{", "[]", '{"kind": "x"}', '{"mapping": {"nonsense": 1}}', '{"mapping": {"read": []}}']
)
def test_a_forged_fix_is_refused(client: Client, patch: str) -> None:
    draft = bring(client, TABLE)
    before = draft.choices
    choose(client, draft, fix=patch or "0")
    assert draft.choices == before


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("mines.kml", b"<kml/>", "mines.kml: not GeoJSON"),
        ("../../etc/passwd\x00.csv", b"\x00\x01", "not GeoJSON"),
        ("empty.csv", b"", "choose a file|the file is empty|submitted file is empty"),
    ],
)
def test_a_file_that_is_none_leaves_nothing_behind(client: Client, name: str, content: bytes, reason: str) -> None:
    before = set(django_settings.BLOB_ROOT.rglob("*"))
    answer = client.post("/imports/new/", {"file": SimpleUploadedFile(name, content)})
    assert answer.status_code == 400
    assert any(part in answer.content.decode() for part in reason.split("|"))
    assert not SeedDraft.objects.exists()
    assert {path for path in django_settings.BLOB_ROOT.rglob("*") if path.is_file()} <= before


def test_a_name_of_a_file_is_only_ever_shown(client: Client) -> None:
    draft = bring(client, TABLE, name="..\\..\\<script>\u202egpj.csv")
    assert draft.file_name == "<script>gpj.csv"
    assert "<script>gpj" not in client.get(page_of(draft)).content.decode()


def test_an_upload_above_the_limit_is_refused_before_it_is_read(client: Client, settings: Any) -> None:
    settings.SEED_UPLOAD_BYTES = 1000
    content = b"a,b\n" * 400
    answer = client.post("/imports/new/", {"file": SimpleUploadedFile("a.csv", content)})
    assert (answer.status_code, "more than 0 MB" in answer.content.decode()) == (400, True)
    assert client.post("/imports/new/", {"file": SimpleUploadedFile("a.csv", content * 1000)}).status_code == 400


def test_a_file_on_the_server_is_looked_at_by_its_name(client: Client, tmp_path: Path, settings: Any) -> None:
    settings.SEED_INBOX = tmp_path
    (tmp_path / "mines.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "secret.key").write_text("x")
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    page = client.get("/imports/new/").content.decode()
    assert "mines.csv" in page and "secret.key" not in page and "link.csv" not in page
    for name in ("secret.key", "link.csv", "../mines.csv", "/etc/passwd"):
        assert client.post("/imports/new/", {"inbox": name}).status_code == 400
    assert client.post("/imports/new/", {"inbox": "mines.csv"}).status_code == 302
    assert SeedDraft.objects.get().preview["counts"]["rows"] == 3


def test_a_large_file_is_looked_at_and_imported_by_a_worker(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "SMALL_BYTES", 10)
    draft = bring(client, TABLE)
    job = Job.objects.get()
    assert (job.kind, draft.preview) == ("labelling.look_at_seeds", {})
    assert "waiting for a worker" in client.get(page_of(draft)).content.decode()
    assert client.post(f"{page_of(draft)}import/", follow=True).status_code == 200
    look_at_seeds(str(job.pk))
    draft.refresh_from_db()
    assert draft.preview["counts"]["rows"] == 3
    choose(client, draft, skip_bad_rows="on")
    look_at_seeds(str(Job.objects.filter(state="queued").get().pk))
    client.post(f"{page_of(draft)}import/")
    assert not SeedImport.objects.exists()
    importing = Job.objects.get(kind="labelling.import_seeds")
    import_seeds(str(importing.pk))
    importing.refresh_from_db()
    assert (importing.state, importing.result["added"]) == ("done", 1)
    assert SeedImport.objects.get().created_by == importing.created_by
    assert not SeedDraft.objects.exists()


def test_an_import_that_is_cancelled_while_it_reads_writes_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = bring(client, TABLE)
    choose(client, draft, skip_bad_rows="on")
    monkeypatch.setattr(drafts, "SMALL_BYTES", 10)
    client.post(f"{page_of(draft)}import/")
    job = Job.objects.get()
    real = load

    def cancel_first(**options: Any) -> Any:
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)
        return real(**options)

    monkeypatch.setattr(drafts, "import_seeds", cancel_first)
    import_seeds(str(job.pk))
    job.refresh_from_db()
    assert (job.state, written()) == ("cancelled", 0)
    assert SeedDraft.objects.filter(pk=draft.pk).exists()


def test_a_draft_is_discarded_with_its_file(client: Client, django_capture_on_commit_callbacks: Any) -> None:
    draft = bring(client, TABLE)
    path = drafts.path_of(draft)
    assert path.is_file()
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(f"{page_of(draft)}discard/").status_code == 302
    assert not path.exists()


@pytest.mark.real
@pytest.mark.skipif(not CHILE.is_file(), reason=f"no real seeds at {CHILE}: set MAD_SHARED_DATA")
def test_the_chile_csv_is_right_at_first_sight_and_explains_each_row_it_cannot_place(client: Client) -> None:
    draft = bring(client, CHILE.read_bytes(), CHILE.name)
    page = client.get(page_of(draft)).content.decode()
    assert "Compañía Minera El Indio" in json.dumps(draft.preview, ensure_ascii=False)
    assert draft.preview["reading"] == {"encoding": "cp1252", "delimiter": ";", "header_rows": 2}
    assert (draft.preview["counts"]["rows"], draft.preview["counts"]["added"]) == (151, 135)
    rows = {one["row"]: one["reason"] for one in draft.preview["refused"]}
    assert len(rows) == 16 and all(rows.values())
    assert rows[53] == "'70.81°' says neither east nor west; 139 other rows say west"
    assert "Read as west" in page
    fix(client, draft, "Read as west")
    fix(client, draft, "Read as decimals of a degree")
    assert {one["row"]: one["reason"] for one in draft.preview["refused"]} == dict.fromkeys(
        (51, 52, 154), "it has no place: Latitude and Longitude are empty"
    )
