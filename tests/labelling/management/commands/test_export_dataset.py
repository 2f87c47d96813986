import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from labelling.models import Snapshot
from tests.cast import Cast
from tests.truth import LAT, WEST, draw, mines_along, square

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("export_dataset", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_dataset_lands_in_the_folder_and_among_the_snapshots(cast: Cast, tmp_path: Path) -> None:
    mines_along(cast.ana, tmp_path, count=2)
    draw(cast.ana, square(WEST - 1, LAT))
    out = tmp_path / "set"
    told = run("--format", "yolo", "--out", str(out), "--name", "mines-1", "--chip-px", "64", "--type", "open_pit")
    snapshot = Snapshot.objects.get(name="mines-1")
    assert told.startswith(f"exported 2 labels on {snapshot.counts['chips']} chips")
    assert "left out: 1 outside every reviewed area" in told
    assert snapshot.sha256 in told
    assert (out / "data.yaml").is_file()
    assert len(list((out / "labels").iterdir())) == snapshot.counts["chips"]


def test_other_states_are_asked_for_by_name(cast: Cast, tmp_path: Path) -> None:
    draw(cast.ana, square(WEST, LAT))
    run("--format", "geojson", "--out", str(tmp_path / "a"), "--state", "verified", "--state", "rejected")
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["settings"]["states"] == ["verified", "rejected"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--type", "gold"], "no type gold on the axis feature"),
        (["--campaign", "none"], "no campaign 'none'"),
        (["--region", "1"], "no region numbered 1"),
        (["--name", "A B"], "is no name of a dataset"),
        (["--bands", "B04,B04"], "each once"),
        ([], "review sites first"),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    cast: Cast, tmp_path: Path, words: list[str], told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        run("--format", "geojson", "--out", str(tmp_path / "a"), *words)
    assert not Snapshot.objects.exists()
    assert not (tmp_path / "a").exists()


def test_a_folder_with_something_in_it_is_refused_before_anything_is_done(cast: Cast, tmp_path: Path) -> None:
    draw(cast.ana, square(WEST, LAT))
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(CommandError, match="is not an empty folder"):
        run("--format", "geojson", "--out", str(tmp_path))
    assert not Snapshot.objects.exists()
