import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from labelling.models import Scene
from tests.scenes import made_up_ground, make_scene

pytestmark = pytest.mark.django_db


def run(*args: Any, **options: Any) -> tuple[str, str, str]:
    """What the command says, what it complains of, and what it ends with."""
    out, err, end = io.StringIO(), io.StringIO(), ""
    try:
        call_command("import_scenes", *args, stdout=out, stderr=err, **options)
    except CommandError as error:
        end = str(error)
    return out.getvalue(), err.getvalue(), end


def test_good_files_are_counted_and_the_command_ends_well(tmp_path: Path) -> None:
    make_scene(tmp_path / "a.tif")
    out, err, end = run(
        str(tmp_path), "--kind", "composite", "--sensor", "sentinel-2-l2a", "--level", "L2A", "--synthetic"
    )
    assert (out, err, end) == ("1 scene added, 0 updated, 0 known, 0 refused\n", "", "")
    scene = Scene.objects.get()
    assert (scene.kind, scene.sensor, scene.level, scene.synthetic) == ("composite", "sentinel-2-l2a", "L2A", True)
    assert run(
        str(tmp_path / "*.tif"), "--kind", "composite", "--sensor", "sentinel-2-l2a", "--level", "L2A", "--synthetic"
    )[0].startswith("0 scenes added, 0 updated, 1 known")


def test_each_refusal_is_one_line_and_the_command_fails(tmp_path: Path) -> None:
    make_scene(tmp_path / "a.tif")
    (tmp_path / "b.tif").write_bytes(b"II*\x00 truncated")
    make_scene(tmp_path / "c.tif", crs="")
    out, err, end = run(str(tmp_path))
    assert out == "1 scene added, 0 updated, 0 known, 2 refused\n"
    first, second = err.splitlines()
    assert first.startswith(f"refused {tmp_path / 'b.tif'}: cannot be read")
    assert second.startswith(f"refused {tmp_path / 'c.tif'}: has no CRS")
    assert end == "2 refused; what was not refused is in the catalogue"


def test_nothing_at_all_fails(tmp_path: Path) -> None:
    out, err, end = run(str(tmp_path))
    assert err == f"refused {tmp_path}: no .tif or .tiff file in it\n"
    assert end.startswith("1 refused")
    assert out.startswith("0 scenes added")


def test_a_mapping_is_read_first_and_a_bad_one_stops_everything(tmp_path: Path) -> None:
    make_scene(tmp_path / "a.tif", bands=(), data=made_up_ground(2, 8, 8), scale=None)
    mapping = tmp_path / "m.json"
    mapping.write_text(json.dumps({"bands": ["B04", "B08"], "scale": 0.0001}))
    assert run(str(tmp_path), "--mapping", str(mapping))[2] == ""
    assert Scene.objects.get().bands == ["B04", "B08"]
    mapping.write_text(json.dumps({"band": []}))
    out, err, end = run(str(tmp_path), "--mapping", str(mapping))
    assert (out, err) == ("", "")
    assert end.startswith("m.json: the mapping is a JSON object with some of the keys bands, scale")


def test_large_files_without_overviews_are_offered_a_copy(tmp_path: Path, settings: Any) -> None:
    settings.MAD_HOME = tmp_path / "home"
    make_scene(tmp_path / "in" / "a.tif", size=1100)
    assert "1 large scene without overviews" in run(str(tmp_path / "in"))[0]
    out, _, end = run(str(tmp_path / "in"), "--convert")
    assert (out, end) == ("0 scenes added, 1 updated, 0 known, 0 refused\n", "")
    assert Scene.objects.get().has_overviews
