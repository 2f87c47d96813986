import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window
from shapely import box

from labelling.core import composite
from labelling.core.composite import CompositePlan, blend, compose, plan_composite
from labelling.core.errors import BadInput
from labelling.core.globe import outline_to_lonlat
from labelling.core.masks import read_weights
from labelling.core.raster import SceneRef, read_window
from tests.scenes import made_up_ground, make_scene, ref_of

BANDS = ("B02", "B03", "B04", "B08", "B11")
METHODS = composite.METHODS
Whole = NDArray[np.uint16]
Numbers = NDArray[np.int64]


@pytest.fixture
def scene(tmp_path: Path) -> Callable[..., SceneRef]:
    """Writes a scene, and beside it its SCL: shape (H, W) or one class for all of it."""

    def write(name: str, *, scl: Any = 4, size: int | tuple[int, int] = 48, **more: Any) -> SceneRef:
        said: dict[str, Any] = {"bands": BANDS, "nodata": 0, "seed": sum(name.encode())} | more
        path = make_scene(tmp_path / f"{name}.tif", size=size, **said)
        ref = ref_of(path)
        classes = np.broadcast_to(np.asarray(scl, np.uint8), (1, ref.height, ref.width))
        place = {key: said[key] for key in ("lon", "lat", "crs", "transform", "pixel_m") if key in said}
        beside = make_scene(tmp_path / f"{name}_SCL.tif", bands=("SCL",), data=classes, scale=None, **place)
        return replace(ref, scl=str(beside))

    return write


def whole(plan: CompositePlan) -> Whole:
    """All blocks put together; no pixel is written twice, or missing."""
    data = np.zeros((len(plan.bands), plan.grid.height, plan.grid.width), np.uint16)
    times = np.zeros(data.shape[1:], int)
    for block in compose(plan):
        data[:, *block.window.toslices()] = block.data
        times[block.window.toslices()] += 1
    assert (times == 1).all()
    return data


def median_of(values: Numbers, votes: Numbers) -> int:
    """A value that is trusted twice as much is there twice: NumPy's own median of all of them."""
    return round(float(np.median(np.repeat(values, votes))))


def medoid_of(spectra: Numbers, votes: Numbers) -> Numbers:
    alive = [place for place, vote in enumerate(votes) if vote]
    costs = [sum(float(votes[b] * np.linalg.norm(spectra[a] - spectra[b])) for b in alive) for a in alive]
    chosen: Numbers = spectra[alive[int(np.argmin(costs))]]
    return chosen


def by_hand(stack: NDArray[Any], votes: Numbers, method: str) -> Whole:
    """A composite made pixel by pixel."""
    result = np.zeros(stack.shape[1:], np.uint16)
    for row, column in np.ndindex(stack.shape[2:]):
        spectra, here = stack[:, :, row, column].astype(int), votes[:, row, column]
        if not here.any():
            continue
        if method == "median":
            result[:, row, column] = [median_of(spectra[:, band], here) for band in range(stack.shape[1])]
        else:
            result[:, row, column] = medoid_of(spectra, here)
    return result


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_the_blend_is_that_of_numpy_in_every_pixel(method: str, count: int) -> None:
    rng = np.random.default_rng(count)
    stack = rng.integers(1, 65_536, (count, 4, 19, 23)).astype(np.uint16)
    votes = rng.choice([0, 0, 1, 4, 8, 20], (count, 19, 23))
    votes[:, 0] = 0
    found = blend(stack, (votes / 20).astype(np.float32), method)
    assert (found == by_hand(stack, votes, method)).all()
    assert (found[:, 0] == 0).all()


def test_the_median_of_scenes_that_are_trusted_alike_is_the_plain_one() -> None:
    stack = np.random.default_rng(1).integers(1, 9000, (5, 3, 30, 30)).astype(np.uint16)
    assert (blend(stack, np.ones((5, 30, 30), np.float32), "median") == np.median(stack, axis=0)).all()


def test_the_medoid_is_a_spectrum_that_was_seen_where_the_median_is_none() -> None:
    stack = np.array([[100, 900], [500, 100], [900, 500]], np.uint16).reshape(3, 2, 1, 1)
    weights = np.ones((3, 1, 1), np.float32)
    assert blend(stack, weights, "median").ravel().tolist() == [500, 500]
    assert blend(stack, weights, "medoid").ravel().tolist() in [[500, 100], [900, 500], [100, 900]]
    # Of two the one that is trusted more is taken, and of equals the first.
    pair = stack[:2]
    for votes, taken in (((1, 0.4), 0), ((0.4, 1), 1), ((1, 1), 0)):
        chosen = blend(pair, np.array(votes, np.float32).reshape(2, 1, 1), "medoid")
        assert (chosen == pair[taken]).all()


@pytest.mark.parametrize("method", METHODS)
def test_scenes_with_clouds_gaps_and_other_offsets_are_put_together_pixel_by_pixel(
    scene: Callable[..., SceneRef], method: str
) -> None:
    size, rng = 48, np.random.default_rng(3)
    refs, stack, votes = [], [], []
    for name, offset in (("a", 0.0), ("b", -0.1), ("c", 0.0)):
        data = made_up_ground(5, size, size, seed=sum(name.encode())) + 1000
        scl = rng.choice([3, 4, 5, 8, 9, 11], (size, size))
        data[:, :, {"a": slice(0, 10), "b": slice(5, 20), "c": slice(5, 8)}[name]] = 0
        data[2, {"a": 30, "b": 31, "c": 30}[name]] = 0  # a band alone
        ref = scene(name, data=data, scl=scl, offset=offset)
        pixels = read_window(ref, Window(0, 0, size, size))
        weights = read_weights(ref, pixels, pixels=pixels).values
        refs.append(ref)
        stack.append(np.where(pixels.mask, data.astype(int) + (1000 if offset == 0 else 0), 0))
        votes.append(weights)
        assert len(np.unique(weights)) > 3
    found = whole(plan_composite(refs, method=method))
    counted = np.rint(np.stack(votes) * 1000).astype(int)
    expected = by_hand(np.stack(stack), counted, method)
    assert (found == expected).all()
    assert not found[:, :, 5:8].any()
    assert (found[:, :, 0:5] > 0).all()
    assert (found[:, 30] == np.where(counted[1, 30] > 0, stack[1][:, 30], 0)).all()


def test_a_cloud_shows_only_where_no_scene_is_clear(scene: Callable[..., SceneRef]) -> None:
    clouds = np.full((8, 8), 9)
    clouds[:, 4:] = 4
    cloudy = scene("a", size=8, data=np.full((5, 8, 8), 7000, np.uint16), scl=clouds)
    clear = scene("b", size=8, data=np.full((5, 8, 8), 800, np.uint16), scl=np.fliplr(clouds))
    for method in METHODS:
        found = whole(plan_composite([cloudy, clear], method=method))
        assert (found[:, :, :4] == 1800).all()
        assert (found[:, :, 4:] == 8000).all()
    alone = whole(plan_composite([cloudy, scene("c", size=8, data=np.zeros((5, 8, 8), np.uint16))], method="median"))
    assert (alone == 8000).all()


def test_saturated_numbers_stay_so_and_dark_ones_are_no_gap(scene: Callable[..., SceneRef]) -> None:
    data = np.full((5, 4, 4), 65_535, np.uint16)
    data[:, 2:] = 1
    pair = [scene(name, size=4, data=data, offset=-0.1) for name in "ab"]
    found = whole(plan_composite(pair, method="median"))
    assert (found[:, :2] == 65_535).all()
    assert (found[:, 2:] == 1).all()


def test_blocks_of_any_size_give_the_same_image(scene: Callable[..., SceneRef], monkeypatch: Any) -> None:
    refs = [scene(name, size=(200, 170), scl=4) for name in "abc"]
    plan = plan_composite(refs, method="median")
    assert plan.side == 512
    at_once = whole(plan)
    monkeypatch.setattr(composite, "BLOCK_BYTES", 1)
    assert (plan.side, len(plan.windows)) == (64, 12)
    assert (whole(plan) == at_once).all()


@pytest.mark.parametrize(
    ("scenes", "bands", "side"), [(3, 12, 512), (2, 3, 512), (12, 12, 256), (64, 1, 256), (64, 64, 64)]
)
def test_a_block_is_so_small_that_all_scenes_fit_the_bound(scenes: int, bands: int, side: int) -> None:
    ref = SceneRef("/a.tif", "EPSG:32632", (10, 0, 0, 0, -10, 0), 10_980, 10_980, "uint16", (), (), (), 0)
    names = tuple(f"b{number}" for number in range(bands))
    ref = replace(ref, bands=names, scales=(0.0001,) * bands, offsets=(0.0,) * bands)
    plan = plan_composite([ref] * scenes, method="medoid")
    assert plan.side == side
    assert plan.pixel_bytes * side * side <= composite.BLOCK_BYTES
    assert sum(window.width * window.height for window in plan.windows) == 10_980**2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("names", ["ab", "abcde"])
def test_memory_is_bounded_by_the_block_and_not_by_the_image(
    scene: Callable[..., SceneRef], monkeypatch: Any, method: str, names: str
) -> None:
    monkeypatch.setattr(composite, "BLOCK_BYTES", 1)
    for size in (128, 320):
        plan = plan_composite([scene(f"{name}{size}", size=size) for name in names], method=method)
        # The lesser of two: a table of Python itself that grows meanwhile is no memory of the composite. What does not
        # grow with the block are open files.
        assert min(peak_of(plan), peak_of(plan)) < plan.pixel_bytes * 64 * 64 + 300_000


def peak_of(plan: CompositePlan) -> int:
    """Most bytes that NumPy and Python hold at a time while a composite is made."""
    tracemalloc.start()
    try:
        for block in compose(plan):
            assert max(block.data.shape[1:]) <= plan.side
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_grid_is_that_of_the_finest_over_the_ground_of_all(scene: Callable[..., SceneRef]) -> None:
    west = scene("a", size=40, transform=Affine(20, 0, 500_000, 0, -20, 7_000_000), crs="EPSG:32722")
    east = scene("b", size=60, transform=Affine(10, 0, 500_500, 0, -10, 7_000_100), crs="EPSG:32722")
    plan = plan_composite([west, east], method="median")
    assert (plan.grid.width, plan.grid.height) == (110, 90)
    assert tuple(plan.grid.transform)[:6] == (10, 0, 500_000, 0, -10, 7_000_100)
    found = whole(plan)
    fine = read_window(east, Window(0, 0, 60, 60)).data.astype(int) + 1000
    assert (found[:, :10, 50:] == fine[:, :10]).all()  # there is no other there
    assert not found[:, :10, :50].any()
    assert (found[:, 12:, :50] > 0).all()


def test_an_area_cuts_the_grid_and_moves_no_pixel(scene: Callable[..., SceneRef]) -> None:
    refs = [
        scene(name, size=50, transform=Affine(10, 0, 500_000, 0, -10, 7_000_000), crs="EPSG:32722") for name in "ab"
    ]
    area = outline_to_lonlat(box(500_103, 6_999_700, 500_197, 6_999_900), "EPSG:32722")
    plan = plan_composite(refs, method="median", area=area)
    left, top = (round(place) for place in ~refs[0].affine @ (plan.grid.transform.c, plan.grid.transform.f))
    assert (left, top) in [(10, 10), (10, 9), (9, 10), (9, 9)]
    everything = whole(plan_composite(refs, method="median"))
    cut = everything[:, top : top + plan.grid.height, left : left + plan.grid.width]
    assert 10 <= plan.grid.width <= 13
    assert (whole(plan) == cut).all()


def test_a_scene_of_another_zone_is_brought_to_the_grid(scene: Callable[..., SceneRef]) -> None:
    flat = np.full((5, 60, 60), 2000, np.uint16)
    first = scene("a", size=40, data=flat[:, :40, :40], lon=-48.0, lat=-21, crs="EPSG:32722")
    other = scene("b", size=60, data=flat * 2, lon=-48.001, lat=-20.999, crs="EPSG:32723")
    plan = plan_composite([first, other], method="median")
    found = whole(plan)
    column, row = (round(place) for place in ~plan.grid.transform @ (first.affine.c, first.affine.f))
    assert (found[:, row : row + 30, column : column + 30] == 4000).all()  # between 3000 and 5000
    assert 5000 in found[:, 5, : column - 1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": "mean"}, "there is no method 'mean': choose from median, medoid"),
        ({"count": 1}, "made of 2 to 64 scenes, not of 1"),
        ({"count": 65}, "made of 2 to 64 scenes, not of 65"),
        ({"bands": ("R", "G", "B", "N", "S")}, "no band in common"),
        ({"scales": (1.0,) * 5}, "the numbers of a scene are no reflectance"),
        ({"transform": (10, 0, 9e5, 0, -10, 9.9e6)}, "choose scenes of the same ground, or a smaller area"),
        ({"area": box(0, 0, 1, 1)}, "none of the scenes lies in the area"),
    ],
)
def test_what_makes_no_composite_is_refused(
    scene: Callable[..., SceneRef], change: dict[str, Any], reason: str
) -> None:
    said: dict[str, Any] = {"method": "median", "count": 2, "area": None} | change
    method, count, area = (said.pop(name) for name in ("method", "count", "area"))
    first = scene("a")
    with pytest.raises(BadInput, match=reason):
        plan_composite([first, replace(first, **said), *[first] * 64][:count], method=method, area=area)


def test_only_the_bands_that_all_have_are_kept_and_masks_are_said(scene: Callable[..., SceneRef]) -> None:
    first, second = scene("a"), scene("b", bands=("B11", "B04", "X"), data=made_up_ground(3, 48, 48))
    second = replace(second, scl="")
    plan = plan_composite([first, second], method="medoid")
    assert plan.bands == ("B04", "B11")
    assert [block.masks for block in compose(plan)] == [("scl + spectrum", "")]
