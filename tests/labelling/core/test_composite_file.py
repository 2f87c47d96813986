import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from rasterio.windows import Window
from rio_cogeo.cogeo import cog_validate
from shapely import box

from labelling.core.composite import compose, plan_composite
from labelling.core.composite_file import TAG, spec_of, write_composite
from labelling.core.errors import BadRaster
from labelling.core.masks import read_weights
from labelling.core.raster import SceneRef, open_raster, read_window
from labelling.core.scene_mapping import SceneMapping
from labelling.core.scenes import describe_scene
from tests.scenes import make_scene, ref_of

BARBELLINO = settings.SHARED_DATA / "imagery" / "barbellino_two_dates"
BANDS = tuple(f"B{number:02}" for number in (*range(1, 10), 11, 12))
DATES = ("20170703", "20190723")


@pytest.fixture
def pair(tmp_path: Path) -> list[SceneRef]:
    return [ref_of(make_scene(tmp_path / f"{seed}.tif", size=(300, 280), nodata=0, seed=seed)) for seed in (1, 2)]


def test_the_file_is_cloud_optimised_and_says_what_it_was_made_of(pair: list[SceneRef], tmp_path: Path) -> None:
    plan, target, told = plan_composite(pair, method="medoid"), tmp_path / "made" / "both.tif", list[float]()
    provenance = write_composite(
        plan,
        target,
        provenance={"method": "medoid", "scenes": [{"name": "1"}, {"name": "2"}]},
        tags={"ACQUIRED_AT": "2022-06-01T13:30:00+00:00", "PROCESSING_LEVEL": "L2A"},
        on_progress=told.append,
    )
    assert provenance["scenes"] == [{"name": name, "masks": "spectrum"} for name in "12"]
    assert cog_validate(str(target), quiet=True)[0]
    assert [one.name for one in target.parent.iterdir()] == ["both.tif"]
    assert told == sorted(told)
    assert told[-1] == 0.8
    [block] = compose(plan)
    with open_raster(target) as file:
        assert (file.read() == block.data).all()
        assert json.loads(file.tags()[TAG]) == provenance
        facts = describe_scene(file, path=target, mapping=SceneMapping())
    assert (facts.level, f"{facts.acquired_at:%F}", facts.ref.bands) == ("L2A", "2022-06-01", pair[0].bands)
    # One pixel: reflectance through the catalogue's eyes is that of one of the two.
    spot = Window(100, 100, 1, 1)
    seen = read_window(facts.ref, spot).reflectance()
    assert any(np.allclose(seen, read_window(ref, spot).reflectance(), atol=6e-5) for ref in pair)


def test_a_fault_or_a_stop_leaves_nothing_behind(pair: list[SceneRef], tmp_path: Path) -> None:
    plan, target = plan_composite(pair, method="median"), tmp_path / "made" / "both.tif"
    said: dict[str, Any] = {"provenance": {"scenes": [{}, {}]}, "tags": {}}

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_composite(plan, target, **said, on_progress=stop)
    Path(pair[1].path).write_bytes(Path(pair[1].path).read_bytes()[:40_000])
    with pytest.raises(BadRaster, match=r"^2\.tif"):
        write_composite(plan, target, **said)
    assert list(target.parent.iterdir()) == []


def test_a_process_of_its_own_writes_it_and_tells_how_far_it_is(pair: list[SceneRef], tmp_path: Path) -> None:
    area = {
        "type": "Polygon",
        "coordinates": [[*map(list, box(-44.5995, -21.0715, -44.5985, -21.0705).exterior.coords)]],
    }
    spec = spec_of(
        pair, method="median", area=area, target=tmp_path / "a.tif", provenance={"scenes": [{}, {}]}, tags={}
    )
    events = run(spec)
    assert [event["event"] for event in events] == ["progress", "share", "written"]
    with open_raster(tmp_path / "a.tif") as file:
        assert 10 <= file.width <= 14
        assert 10 <= file.height <= 14
    spec["refs"][0]["bands"] = ["X1", "X2", "X3", "X4"]
    assert run(spec) == [{"event": "error", "message": "the scenes have no band in common"}]


def run(spec: dict[str, Any]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "labelling.core.composite_file"]
    done = subprocess.run(
        command, check=False, input=json.dumps(spec).encode(), capture_output=True, cwd=settings.BASE_DIR
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.real
@pytest.mark.skipif(not BARBELLINO.is_dir(), reason=f"no real imagery at {BARBELLINO}: set MAD_SHARED_DATA")
@pytest.mark.parametrize("method", ["median", "medoid"])
def test_two_real_dates_are_right_pixel_by_pixel(tmp_path: Path, method: str) -> None:
    mapping = SceneMapping(bands=BANDS, scale=0.0001, offset=0)
    refs, stack = [], []
    for date in DATES:
        path = BARBELLINO / f"S2A2A_{date}_022_Barbellino_BOA_10.tif"
        with open_raster(path) as file:
            refs.append(describe_scene(file, path=path, mapping=mapping).ref)
            stack.append(file.read().astype(int))
    target = tmp_path / "both.tif"
    plan = plan_composite(refs, method=method)
    write_composite(plan, target, provenance={"scenes": [{}, {}]}, tags={})
    first, second = (read_weights(ref, plan.grid).values for ref in refs)
    with open_raster(refs[0].scl) as clouds, open_raster(refs[1].scl) as clear:
        hidden = np.kron((clouds.read(1) >= 8) & (clear.read(1) == 4), np.ones((2, 2), bool))
    assert hidden.any()
    assert (second > first)[hidden].all()
    # Of two dates the one that is trusted more; of equals their mean, or as medoid the first.
    equal = (stack[0] + stack[1]) / 2 if method == "median" else stack[0]
    expected = np.select([first > second, second > first], [stack[0], stack[1]], equal) + 1000
    with open_raster(target) as file:
        found = file.read()
        assert file.offsets[0] == -0.1
    assert (found == np.rint(expected)).all()
