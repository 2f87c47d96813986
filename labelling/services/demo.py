"""The demonstration: invented scenes, seeds and regions, brought in by the same services as real ones."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings
from django.contrib.gis.geos import MultiPolygon
from django.db import transaction

from labelling.core.blobs import atomic_path
from labelling.core.synthetic import BIOMES, DATES, Place, make_places, region_of
from labelling.core.synthetic_paint import write_place
from labelling.core.synthetic_seeds import make_seeds
from labelling.models import Campaign, Region, Scene, Source
from labelling.models.spatial import to_geos
from labelling.models.taxonomy import Axis
from labelling.services.scenes import import_scenes
from labelling.services.seeds import import_seeds

DEMO_TITLE = "Synthetic demonstration"
DEMO_PLACES = range(12)
"""What the demonstration opens on."""
LOOP_PLACES = range(12, 32)
"""What ``demo --loop`` works on, so that it never empties the queue of the demonstration."""
FIRST_ECO_ID = 900_001  # far above RESOLVE's numbers
LICENCE = "Synthetic, made by MAD Web; CC0"


def load_demo(*, places: Sequence[Place], title: str, say: Callable[[str], None]) -> Campaign:
    """Bring invented places in: regions, scenes on two dates, four seeds, a campaign.

    Doing it again adds nothing.

    Args:
        places: of ``labelling.core.synthetic.make_places``.
        title: name of the campaign; the word "synthetic" belongs in it.
        say: told what happens, a line at a time.
    """
    _add_regions()
    scenes = _add_scenes(places, say)
    say(f"{scenes} synthetic scenes are catalogued")
    for kind, path in _write_seeds(places, title).items():
        _add_seed(Source.Kind(kind), path, say)
    return _add_campaign(title, places)


def demo_places(numbers: range) -> tuple[Place, ...]:
    """The invented places of these numbers."""
    return make_places(numbers.stop)[numbers.start :]


@transaction.atomic
def _add_regions() -> None:
    for number, biome in enumerate(BIOMES):
        Region.objects.get_or_create(
            eco_id=FIRST_ECO_ID + number,
            defaults={
                "name": biome.name,
                "biome_id": 90 + number,
                "biome": biome.name,
                "realm": "Synthetic",
                "geom": MultiPolygon(to_geos(region_of(biome)), srid=4326),
            },
        )


def scene_paths(place: Place) -> tuple[Path, ...]:
    """The files of a place, one for each date."""
    folder = settings.MAD_HOME / "demo" / "scenes"
    return tuple(folder / f"{place.name}_{date:%Y%m%d}.tif" for date in DATES)


def _add_scenes(places: Sequence[Place], say: Callable[[str], None]) -> int:
    paths = []
    for number, place in enumerate(places, start=1):
        for path, date in zip(scene_paths(place), DATES, strict=True):
            if not path.exists():
                write_place(place, date, path)
            paths.append(path)
        say(f"painted place {number} of {len(places)}")
    import_scenes(paths=paths, kind=Scene.Kind.SINGLE, sensor="synthetic", synthetic=True)
    return len(paths)


def _write_seeds(places: Sequence[Place], title: str) -> dict[str, Path]:
    folder = settings.MAD_HOME / "demo" / "seeds"
    paths = {}
    for kind, collection in make_seeds(places).items():
        paths[kind] = folder / f"{title} {kind}.geojson".lower().replace(" ", "-")
        with atomic_path(paths[kind]) as temporary:
            temporary.write_text(json.dumps(collection))
    return paths


def _add_seed(kind: Source.Kind, path: Path, say: Callable[[str], None]) -> None:
    report = import_seeds(
        path=path,
        source_name=f"Synthetic {kind.label}",
        kind=kind,
        mapping={"id": "id"},
        licence=LICENCE,
        synthetic=True,
    )
    say(f"seeds ({kind.label}): {report.added} new claims, {report.sites} new sites")


def _add_campaign(title: str, places: Sequence[Place]) -> Campaign:
    outlines = MultiPolygon([to_geos(place.lonlat_bounds) for place in places], srid=4326)
    campaign, _ = Campaign.objects.get_or_create(
        name=title,
        defaults={
            "slug": title.lower().replace(" ", "-"),
            "axis": Axis.FEATURE,
            "filter": {"area": json.loads(outlines.geojson)},
            "guideline": "Synthetic ground: no place on Earth. Accept what is a mine, fix what is drawn or named "
            "wrongly, reject what is none.",
        },
    )
    return campaign
