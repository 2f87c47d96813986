"""A stage for the browser: its own database and imagery, and the real server in front of it.

Run as a module it sets the stage in ``MAD_HOME``. Each story plays on a campaign of its own, over synthetic
ground of its own, so that none sees what another did.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from labelling.core.synthetic import Place, Thing

STORIES = ("day", "keys", "offline", "conflict", "login", "looks", "keymap", "evidence", "looking")
LONELY = "lonely"  # a campaign whose only site has no scene
EMPTY = "empty"  # a campaign without a site
SEAM = "seam"  # a campaign whose only site lies over the edge of two scenes, with an older one and a composite
OFFSET = "offset"  # two sites beside their mine, one verified all the same and one rejected for that
QUARREL = "quarrel"  # three sites on which Ana and Ben disagree
MANY = "many"  # a campaign of 210 sites, none with a scene
STORM = "storm"  # another of 60, for what goes wrong
CARD = "card"  # a campaign whose only site is there to be read about
HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>'


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.cast import Cast

    call_command("prepare", verbosity=0)
    Cast.arrive()
    set_stage()


def set_stage() -> None:
    from labelling.core.synthetic import make_places

    for story, place in zip(STORIES, make_places(len(STORIES), seed=11), strict=True):
        play_on(story, [place])
    _add_lonely()
    _add_seam()
    _add_offset()
    _add_quarrel()
    _add_many(MANY, south=-45, columns=15, rows=14)
    _add_many(STORM, south=-55, columns=10, rows=6)
    _add_many(CARD, south=-57, columns=1, rows=1)


def play_on(story: str, places: Sequence[Place]) -> None:
    """Open a campaign on everything that stands on some places, each seen on every date."""
    from django.conf import settings

    from labelling.core.synthetic import DATES
    from labelling.core.synthetic_paint import write_place
    from labelling.services.campaigns import Terms, create_campaign
    from labelling.services.scenes import import_scenes

    folder = Path(settings.MAD_HOME) / "stage"
    folder.mkdir(exist_ok=True)
    paths = [
        write_place(place, date, folder / f"{story}_{place.name}_{date:%Y%m%d}.tif")
        for place in places
        for date in DATES
    ]
    report = import_scenes(paths=paths, sensor="synthetic", synthetic=True)
    assert len(report.added) == len(paths), report.refused
    if story == "evidence":
        _add_a_scene_in_colour(places[0], folder / "evidence_in_colour.tif")
    _claim_things(story, [thing for place in places for thing in place.things])
    create_campaign(
        terms=Terms(
            f"Synthetic {story}",
            conditions={"sources": [f"seeds of {story}"]},
            guideline="Synthetic ground. Accept what is a mine; fix what is drawn or named wrongly.",
        )
    )


def _add_a_scene_in_colour(place: Place, path: Path) -> None:
    """A year before the others, and with three bands only."""
    from labelling.core.synthetic import BANDS, CRS, DATES
    from labelling.core.synthetic_paint import paint_place
    from labelling.services.scenes import import_scenes
    from tests.scenes import make_scene

    pixels = paint_place(place, DATES[0])
    bands = ("B02", "B03", "B04")
    data = pixels.data[[BANDS.index(band) for band in bands]]
    tags = {"TIFFTAG_DATETIME": "2023:03:01 10:36:00"}
    make_scene(path, data=data, bands=bands, crs=CRS, nodata=0, tags=tags, transform=pixels.transform)
    report = import_scenes(paths=[path], sensor="synthetic", synthetic=True)
    assert len(report.added) == 1, report.refused


def _claim_things(story: str, things: Sequence[Thing]) -> None:
    """A seed names every thing; a model, less sure, proposes boxes with types and scores."""
    from labelling.core.matching import ClaimSpec
    from labelling.core.synthetic import MINES
    from labelling.models import Source
    from labelling.services.sites import place_claims

    seeds = Source.objects.create(name=f"seeds of {story}", kind="labelled", licence="CC0", synthetic=True)
    model = Source.objects.create(name=f"generalist of {story}", kind="model", licence="AGPL-3.0", synthetic=True)
    said, guessed = [], []
    for number, thing in enumerate(things):
        kind = thing.kind if thing.is_mine else "open_pit"
        others = [code for code in MINES if code != kind][:3]
        sure = 0.4 + 0.05 * (number % 12)
        scores = (
            (kind, sure),
            *((code, round((0.95 - sure) / 2**rank, 2)) for rank, code in enumerate(others, start=1)),
        )
        said.append(ClaimSpec(f"{story}-{number}", thing.lonlat, {"feature": ((kind, None),)}))
        box = thing.lonlat.envelope.buffer(0.0002, join_style="mitre")
        guessed.append(ClaimSpec(f"{story}-{number}", box, {"feature": scores}, score=sure))
    place_claims(source=seeds, claims=said)
    place_claims(source=model, claims=guessed)


def _add_lonely() -> None:
    from shapely.geometry import Point

    from labelling.core.matching import ClaimSpec
    from labelling.models import Source
    from labelling.services.campaigns import Terms, create_campaign
    from labelling.services.sites import place_claims

    source = Source.objects.create(name=f"far away {HOSTILE}", kind="cobalt", licence=HOSTILE, synthetic=True)
    spec = ClaimSpec("1", Point(-30.0, -40.0), {"commodity": (("cobalt", None),)}, name=HOSTILE)
    place_claims(source=source, claims=[spec])
    create_campaign(terms=Terms(f"Synthetic {LONELY}", axis="commodity", conditions={"sources": [source.name]}))
    Source.objects.create(name="nobody", kind="polygons", synthetic=True)
    create_campaign(terms=Terms(f"Synthetic {EMPTY}", conditions={"sources": ["nobody"]}))


def _add_seam() -> None:
    from django.conf import settings

    from labelling.models import Scene
    from labelling.services.campaigns import Terms, create_campaign
    from labelling.services.composites import make_composite, place_of, plan_order
    from labelling.services.scenes import import_scenes
    from tests.halves import cut_in_halves

    halves = cut_in_halves(Path(settings.MAD_HOME) / "stage" / SEAM)
    [older] = import_scenes(paths=[Path(halves.whole.path)]).added
    Scene.objects.filter(pk=older.pk).update(acquired_at="2024-05-01T13:30:00Z")
    dates = list(Scene.objects.filter(pk__in=[older.pk, halves.west.pk]).order_by("pk"))
    target = place_of("Synthetic seam")
    target.parent.mkdir(exist_ok=True)
    make_composite(order=plan_order(scenes=dates, method="medoid", target=target))
    site = halves.site()
    source = site.proposals.get().source
    create_campaign(terms=Terms(f"Synthetic {SEAM}", conditions={"sources": [source.name]}))


def _add_offset() -> None:
    from django.contrib.auth.models import User
    from shapely.geometry import box

    from labelling.core.matching import ClaimSpec
    from labelling.models import Source
    from labelling.services.sites import place_claims
    from tests.mines import decide

    source = Source.objects.create(name=f"seeds of {OFFSET}", kind="polygons", licence="CC0", synthetic=True)
    squares = {name: box(west, -50, west + 0.001, -49.999) for name, west in (("Kept", -25.0), ("Refused", -24.9))}
    claims = [ClaimSpec(name, square, {"feature": (("pond", None),)}, name=name) for name, square in squares.items()]
    kept, refused = place_claims(source=source, claims=claims).proposals
    ana = User.objects.get(username="ana")
    decide(ana, kept.site)
    decide(ana, refused.site, "reject", reason="offset")


def _add_quarrel() -> None:
    from dataclasses import replace
    from uuid import uuid4

    from django.contrib.auth.models import User
    from shapely.geometry import box

    from labelling.core.matching import ClaimSpec
    from labelling.models import Source
    from labelling.services.campaigns import Terms, create_campaign
    from labelling.services.decisions import Submission, submit_decision
    from labelling.services.sites import place_claims

    source = Source.objects.create(name=f"seeds of {QUARREL}", kind="labelled", licence="CC0", synthetic=True)
    places = [
        ClaimSpec(f"{number}", box(west, -55, west + 0.01, -54.99), {"feature": (("pond", None),)}, name="Quarrel")
        for number, west in enumerate((-30, -29.9, -29.8))
    ]
    placed = place_claims(source=source, claims=places)
    terms = Terms(f"Synthetic {QUARREL}", conditions={"sources": [source.name]}, reviews_needed=2)
    campaign = create_campaign(terms=terms)
    ana, ben = (User.objects.get(username=name) for name in ("ana", "ben"))
    for proposal in placed.proposals:
        yes = Submission(uuid4(), "accept", site_id=proposal.site_id, campaign_id=campaign.pk)
        submit_decision(user=ana, submission=yes)
        submit_decision(user=ben, submission=replace(yes, key=uuid4(), verdict="reject", reason="not_a_mine"))


def _add_many(story: str, *, south: float, columns: int, rows: int) -> None:
    from shapely.geometry import box

    from labelling.core.matching import ClaimSpec
    from labelling.models import Source
    from labelling.services.campaigns import Terms, create_campaign
    from labelling.services.sites import place_claims

    source = Source.objects.create(name=f"seeds of {story}", kind="polygons", licence="CC0", synthetic=True)
    corners = [(-20 + column / 10, south + row / 10) for column in range(columns) for row in range(rows)]
    squares = [box(x, y, x + 0.01, y + 0.01) for x, y in corners]
    place_claims(
        source=source,
        claims=[
            ClaimSpec(f"{number}", square, {"feature": (("pond", None),)}) for number, square in enumerate(squares)
        ],
    )
    create_campaign(terms=Terms(f"Synthetic {story}", conditions={"sources": [source.name]}))


if __name__ == "__main__":
    main()
