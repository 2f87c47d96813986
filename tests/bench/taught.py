"""Synthetic ground with one mine or look-alike at each place, reviewed by an oracle in batches and learnt from."""

import json
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.gis.geos import MultiPolygon
from django.core.management import call_command

from inference.models import ModelVersion
from inference.services.runs import create_run, execute_run
from labelling.core.oracle import Truth
from labelling.core.synthetic import DATES, MINES, Place, make_lone_place
from labelling.core.synthetic_paint import write_place
from labelling.core.synthetic_seeds import make_seeds
from labelling.models import Campaign, Decision, Job, Label, Region, Scene, Site, Source
from labelling.models.spatial import to_geos
from labelling.services.decisions import complete_area
from labelling.services.jobs import run_job
from labelling.services.oracle import judge_next
from labelling.services.scenes import import_scenes
from labelling.services.seeds import import_seeds
from labelling.services.taxonomy import sync_taxonomy
from mad_web.roles import sync_roles
from tests.cast import Cast
from tests.mines import decide
from tests.truth import complete, draw
from training.core.plan import QUICK, Plan
from training.models import Score, TestSet
from training.services.evaluation import enqueue_evaluation, run_evaluation
from training.services.experiments import run_experiment, start_experiment
from training.services.order import refresh_order
from training.services.testsets import freeze_testset

# In about the proportions of the Chilean seed, with a third look-alikes.
SHARES = {
    "waste_rock_dump": 0.34,
    "open_pit": 0.15,
    "tailings_storage_facility": 0.07,
    "heap_leach_pad": 0.05,
    "pond": 0.03,
    "artisanal_diggings": 0.03,
    "bare field": 0.12,
    "natural pond": 0.11,
    "town": 0.10,
}
SIDE, APART_M, IN_ROW = 192, 2_500, 24
POOL_CORNER, TEST_CORNER = (440_000, 8_900_000), (440_000, 8_700_000)
TEST_EACH = 24
POOL, TEST = 990_001, 990_002


def review_and_learn(
    arm: str, seed: int, pool: int, steps_of_review: Sequence[int], steps: int
) -> list[dict[str, Any]]:
    """Review in batches in one order, and learn after each.

    Args:
        arm: ``order`` for the queue's own, ``random`` for a shuffled one.
        seed: of the ground, the seeds, the shuffling and the networks.
        pool: places to review.
        steps_of_review: after so many reviews a network is trained and scored.
        steps: of the optimiser, for each network.

    Returns:
        After each batch: ``reviews``, ``ap50`` (mean over the types), ``verified`` (labels by type) and ``types``
        (AP at IoU 0.5 by type).
    """
    oracle = User.objects.get(username="lea")
    campaign = Campaign.objects.get()
    places = _pool(seed, pool)
    truths = [Truth(mine.lonlat, mine.kind) for place in places for mine in place.mines]
    taken: set[int] = set()
    rng = np.random.default_rng((seed, 77))
    if arm == "random":
        _shuffle(rng)
    points, model, done = [], None, 0
    for reviews in steps_of_review:
        if arm == "order":
            if model is not None:
                _propose(oracle, model, campaign)
            refresh_order(campaign=campaign)
        judged = judge_next(user=oracle, campaign=campaign, truths=truths, taken=taken, count=reviews - done)
        done += len(judged)
        _complete(oracle, campaign, places, [site for site, _ in judged])
        model = _train(oracle, seed, steps)
        points.append({"reviews": done, **_judge(oracle, model)})
        sys.stderr.write(f"seed {seed}, {arm}, {done} reviews: AP50 {points[-1]['ap50']:.3f}\n")
    return points


def settle(seed: int, pool: int) -> None:
    """Bring in pool and test ground, open the campaign on the pool, verify the test ground and freeze it."""
    call_command("migrate", verbosity=0)
    sync_taxonomy()
    sync_roles()
    Cast.arrive()
    places = _pool(seed, pool)
    tested = [kind for kind in MINES for _ in range(TEST_EACH)]
    examined = tuple(_places("test", tested, TEST_CORNER, seed * 2 + 2))
    for number, name, ground in ((POOL, "pool", places), (TEST, "test", examined)):
        outline = MultiPolygon([to_geos(place.lonlat_bounds) for place in ground], srid=4326)
        hull = MultiPolygon([outline.convex_hull.buffer(0.05)], srid=4326)
        Region.objects.create(eco_id=number, name=f"Synthetic {name}", biome_id=1, biome="Synthetic", geom=hull)
        paths = [write_place(place, DATES[1], settings.MAD_HOME / name / f"{place.name}.tif") for place in ground]
        import_scenes(paths=paths, kind=Scene.Kind.SINGLE, sensor="synthetic", synthetic=True)
    _examine(examined)
    for kind, collection in make_seeds(places, seed=seed).items():
        path = settings.MAD_HOME / f"{kind}.geojson"
        path.write_text(json.dumps(collection))
        import_seeds(
            path=path, source_name=kind, kind=Source.Kind(kind), mapping={"id": "id"}, licence="CC0", synthetic=True
        )
    _open_campaign(places)


def _pool(seed: int, count: int) -> tuple[Place, ...]:
    rng = np.random.default_rng((seed, 1))
    kinds: list[str] = rng.choice(list(SHARES), count, p=list(SHARES.values())).tolist()
    return tuple(_places("pool", kinds, POOL_CORNER, seed * 2 + 1))


def _places(name: str, kinds: Sequence[str], corner: tuple[float, float], seed: int) -> Iterator[Place]:
    """Places in rows; ground without room for its thing is drawn anew."""
    for index, kind in enumerate(kinds):
        at = (corner[0] + index % IN_ROW * APART_M, corner[1] - index // IN_ROW * APART_M)
        tries = (
            make_lone_place(
                str(kind), name=f"{name}-{index:03d}", corner=at, side=SIDE, seed=(seed * 1000 + index) * 50 + i
            )
            for i in range(50)
        )
        yield next(place for place in tries if place is not None)


def _examine(places: Sequence[Place]) -> None:
    """Verify what stands on the test ground and freeze half of it; what was said of the other half is taken back."""
    lead = User.objects.get(username="lea")
    for place in places:
        for mine in place.mines:
            draw(lead, mine.lonlat, mine.kind)
        complete(lead, place.lonlat_bounds)
    testset = freeze_testset(name="synthetic", block_m=1_000, buffer_m=100, share=0.5)
    for decision in Decision.objects.exclude(site__in=testset.labels.values("site")):
        decide(lead, decision.site_id, "undo", undoes=decision.key)


def _open_campaign(places: Sequence[Place]) -> None:
    outlines = MultiPolygon([to_geos(place.lonlat_bounds) for place in places], srid=4326)
    Campaign.objects.create(name="Pool", slug="pool", axis="feature", filter={"area": json.loads(outlines.geojson)})


def _shuffle(rng: np.random.Generator) -> None:
    sites = list(Site.objects.order_by("pk"))
    for site, priority in zip(sites, rng.uniform(0, 10, len(sites)), strict=True):
        site.priority = float(priority)
    Site.objects.bulk_update(sites, ["priority"], batch_size=500)


def _complete(lead: User, campaign: Campaign, places: Sequence[Place], sites: Sequence[Site]) -> None:
    """The windows of the sites just judged: each holds one thing at most, so all of it is labelled."""
    for site in sites:
        window = next(place for place in places if to_geos(place.lonlat_bounds).intersects(site.point))
        geometry = to_geos(window.lonlat_bounds)
        if not campaign.reviewed_areas.filter(geometry__contains=site.point).exists():
            complete_area(user=lead, key=uuid4(), geometry=geometry, axis="feature", campaign=campaign)


def _train(lead: User, seed: int, steps: int) -> ModelVersion:
    anchors = Label.objects.filter(state=Label.State.VERIFIED, site__region__eco_id=POOL).count()
    epochs = math.ceil(steps / max(1, math.ceil(anchors * QUICK.recipe.centrings * 0.8 / QUICK.settings.batch)))
    recipe = replace(
        QUICK.recipe, regions=(POOL,), types=MINES,
        scenes_per_label=1, chip_px=96, block_m=10_000.0, buffer_m=0.0, split_seed=seed,
    )  # fmt: skip
    plan = Plan(recipe, replace(QUICK.settings, epochs=epochs, patience=epochs, seed=seed))
    experiment = start_experiment(plan=plan, name="order", user=lead)
    return ModelVersion.objects.get(name=_do(experiment.job, run_experiment)["model"])


def _judge(lead: User, model: ModelVersion) -> dict[str, Any]:
    testset = TestSet.objects.get()
    _do(enqueue_evaluation(model=model, testset=testset, user=lead), run_evaluation)
    scores = Score.objects.filter(model=model, testset=testset)
    verified = Label.objects.filter(state=Label.State.VERIFIED, site__region__eco_id=POOL)
    return {
        "ap50": scores.get(slice_kind="all").ap50,
        "types": {score.slice_value: score.ap50 for score in scores.filter(slice_kind="type")},
        "verified": dict(Counter(verified.values_list("feature__code", flat=True))),
    }


def _propose(lead: User, model: ModelVersion, campaign: Campaign) -> None:
    """The newest network speaks of all ground that has an open site of the campaign."""
    open_sites = Site.objects.filter(state=Site.State.OPEN).matching(campaign.conditions())
    scenes = {scene.pk: scene for site in open_sites for scene in Scene.objects.covering(site.point)}
    run = create_run(user=lead, scenes=list(scenes.values()), model=model)
    _do(run.job, execute_run)


def _do(job: Job, work: Any) -> dict[str, Any]:
    run_job(job_id=job.pk, work=lambda row, handle: work(job=row, handle=handle))
    job.refresh_from_db()
    if job.state != Job.State.DONE:
        msg = f"{job.title} ended as {job.state}: {job.error}"
        raise SystemExit(msg)
    result: dict[str, Any] = job.result
    return result
