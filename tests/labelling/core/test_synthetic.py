from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import shape

from labelling.core.geotiff import open_raster
from labelling.core.synthetic import (
    BANDS,
    BIOMES,
    DATES,
    LOOK_ALIKES,
    MINES,
    Place,
    make_lone_place,
    make_places,
    region_of,
    river_of,
)
from labelling.core.synthetic_paint import paint_place, write_place
from labelling.core.synthetic_seeds import make_seeds


@pytest.fixture(scope="module")
def places() -> tuple[Place, ...]:
    return make_places(8, side=256)


def test_the_same_seed_invents_the_same_ground(places: tuple[Place, ...]) -> None:
    again = make_places(8, side=256)
    assert [[t.outline.wkt for t in p.things] for p in places] == [[t.outline.wkt for t in p.things] for p in again]
    assert np.array_equal(paint_place(places[0], DATES[0]).data, paint_place(again[0], DATES[0]).data)


def test_there_are_many_mine_types_and_look_alikes_in_two_ecoregions(places: tuple[Place, ...]) -> None:
    kinds = {thing.kind for place in places for thing in place.things}
    assert len(kinds & set(MINES)) >= 4
    assert len(kinds & set(LOOK_ALIKES)) >= 3
    assert {place.biome for place in places} == set(BIOMES)


def test_things_neither_touch_nor_leave_their_place(places: tuple[Place, ...]) -> None:
    for place in places:
        assert not any(a.outline.intersects(b.outline) for a, b in combinations(place.things, 2))
        assert all(mine.outline.within(place.bounds) for mine in place.mines)


def test_places_lie_in_their_ecoregion_and_not_in_the_other() -> None:
    regions = {biome: region_of(biome) for biome in BIOMES}
    assert not regions[BIOMES[0]].intersects(regions[BIOMES[1]])
    for place in make_places(16):
        assert all(thing.lonlat.within(regions[place.biome]) for thing in place.mines)


def test_pixels_look_like_sentinel_2(places: tuple[Place, ...]) -> None:
    pixels = paint_place(places[0], DATES[0], clouds=False)
    assert pixels.data.dtype == np.uint16
    assert pixels.data.shape == (12, 256, 256)
    red, near_infrared = pixels.reflectance()[BANDS.index("B04")], pixels.reflectance()[BANDS.index("B08")]
    assert np.median((near_infrared - red) / (near_infrared + red)) > 0.6  # forest


def test_the_two_dates_differ_and_a_cloud_is_bright(places: tuple[Place, ...]) -> None:
    blue = [paint_place(place, DATES[0]).reflectance()[1] for place in places]
    clear = [paint_place(place, DATES[0], clouds=False).reflectance()[1] for place in places]
    assert max(band.max() for band in blue) > 0.5 > max(np.percentile(band, 99.9) for band in clear)
    assert not np.array_equal(paint_place(places[0], DATES[0]).data, paint_place(places[0], DATES[1]).data)


def test_a_written_scene_says_that_it_is_synthetic(tmp_path: Path, places: tuple[Place, ...]) -> None:
    path = write_place(places[0], DATES[0], tmp_path / "scene.tif")
    with open_raster(path) as file:
        assert file.descriptions == BANDS
        assert file.tags()["SYNTHETIC"] == "yes"
        assert "no place on Earth" in file.tags()["ATTRIBUTION"]
        assert file.overviews(1) == [2, 4]
        assert file.scales == (1e-4,) * 12
    assert list(tmp_path.iterdir()) == [path]


def test_seeds_have_the_faults_of_real_ones() -> None:
    places = make_places(16)
    seeds = make_seeds(places)
    truth = {f"{place.name}-{n}": thing for place in places for n, thing in enumerate(place.things)}
    labelled = {f["properties"]["id"]: f["properties"]["mine_type"] for f in seeds["labelled"]["features"]}
    mines = {name for name, thing in truth.items() if thing.is_mine}
    claimed = {f["properties"]["id"] for kind in ("labelled", "polygons") for f in seeds[kind]["features"]}
    assert mines - claimed, "some mines are in no seed"
    assert claimed - mines, "some seeds are no mine"
    assert any(truth[name].kind != told for name, told in labelled.items() if name in mines), "some types are wrong"
    assert all(not truth[f["properties"]["id"]].is_mine for f in seeds["negatives"]["features"])


def test_seeds_lie_where_the_things_are() -> None:
    places = make_places(2)
    names = {f"{place.name}-{n}": thing for place in places for n, thing in enumerate(place.things)}
    for feature in make_seeds(places)["labelled"]["features"]:
        drawn, real = shape(feature["geometry"]), names[feature["properties"]["id"]].lonlat
        assert drawn.intersection(real).area / drawn.union(real).area > 0.5


@pytest.mark.parametrize("kind", ["open_pit", "artisanal_diggings", "town"])
def test_a_lone_place_holds_one_thing_away_from_its_river(kind: str) -> None:
    places = [make_lone_place(kind, name="lone", corner=(500_000, 8_900_000), side=192, seed=seed) for seed in range(9)]
    found = [place for place in places if place is not None]
    assert len(found) > 3
    assert {place.biome for place in found} == set(BIOMES)
    for place in found:
        (thing,) = place.things
        assert thing.kind == kind
        assert place.bounds.contains(thing.outline)
        assert thing.outline.distance(river_of(place)) >= 40
