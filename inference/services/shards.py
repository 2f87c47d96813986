"""What a model found on a scene becomes proposals, all of it or nothing."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import shapely
from django.db import transaction
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

from inference.core.polygons import polygons_of
from inference.core.settled import Settled, settled_by
from inference.core.sweep import Box, SweepResult
from inference.models import Detection, DetectionRun, ModelVersion, Shard, Sighting
from labelling.core.matching import ClaimSpec
from labelling.models import Scene, Site
from labelling.models.spatial import in_box, to_shapely
from labelling.services.jobs import JobHandle, beat_job
from labelling.services.sites import place_claims


def publish_shard(*, shard: Shard, result: SweepResult, handle: JobHandle) -> None:
    """Write what was found as proposals and mark the shard as done, in one transaction.

    Places that people have verified or rejected are not proposed again (``inference.core.settled`` has the rule).
    The same box of the same model on the same scene is proposed once, however often it is found.

    Raises:
        LostJob: another worker holds the job; nothing was written.
    """
    with transaction.atomic():
        beat_job(handle=handle)
        counts = _publish(shard, result)
        Shard.objects.filter(pk=shard.pk).update(
            state=Shard.State.DONE, counts=counts, error="", finished_at=timezone.now()
        )
        sum_up(run=shard.run)


def fail_shard(*, shard: Shard, error: str, handle: JobHandle) -> None:
    """Mark a shard as failed, with the reason.

    Raises:
        LostJob: another worker holds the job; nothing was written.
    """
    with transaction.atomic():
        beat_job(handle=handle)
        Shard.objects.filter(pk=shard.pk).update(state=Shard.State.FAILED, error=error, finished_at=timezone.now())


def sum_up(*, run: DetectionRun) -> None:
    """Write the sum of the shards' counts to the run; what else is counted there stays."""
    held = DetectionRun.objects.select_for_update().get(pk=run.pk)
    total: Counter[str] = Counter()
    for counts in held.shards.values_list("counts", flat=True):
        total.update(counts)
    held.counts = {"left_out": held.counts.get("left_out", 0), **total}
    held.save(update_fields=["counts"])


def _publish(shard: Shard, result: SweepResult) -> dict[str, int]:
    polygons = polygons_of(result.boxes, shard.scene.ref())
    settled = settled_by(polygons, [box.type_code for box in result.boxes], _settled_near(polygons, shard.model))
    open_places = [
        (box, polygon) for box, polygon, site in zip(result.boxes, polygons, settled, strict=True) if site is None
    ]
    claims = {_external_id(shard.scene, box): _claim(shard, box, polygon) for box, polygon in open_places}
    placed = place_claims(source=shard.model.source, claims=list(claims.values()))
    boxes = {_external_id(shard.scene, box): box for box, _ in open_places}
    Detection.objects.bulk_create(
        Detection(proposal=proposal, run=shard.run, shard=shard, box=_corners(boxes[proposal.external_id]))
        for proposal in placed.proposals
    )
    _note_sightings(shard, result.boxes, settled)
    rejected = sum(site is not None and site.is_rejected for site in settled)
    return {
        "windows": result.windows,
        "found": len(result.boxes),
        "proposed": len(placed.proposals),
        "sites": placed.sites_created,
        "known": len(result.boxes) - len(placed.proposals) - rejected,
        "rejected_before": rejected,
    }


def _note_sightings(shard: Shard, boxes: Sequence[Box], settled: Sequence[Settled | None]) -> None:
    """What stands on a rejected site is not proposed again; that it was found is kept, the surest box of each site."""
    best: dict[int, Box] = {}
    for box, site in zip(boxes, settled, strict=True):
        if site is not None and site.is_rejected and (site.site not in best or box.score > best[site.site].score):
            best[site.site] = box
    Sighting.objects.filter(shard=shard).delete()
    Sighting.objects.bulk_create(
        Sighting(shard=shard, site_id=site, type_code=box.type_code, score=box.score) for site, box in best.items()
    )


def _settled_near(polygons: Sequence[BaseGeometry], model: ModelVersion) -> list[Settled]:
    if not polygons:
        return []
    west, south, east, north = shapely.total_bounds(np.asarray(polygons, dtype=object)).tolist()
    rows = Site.objects.filter(
        in_box(Site, "footprint", (west, south, east, north)), state__in=(Site.State.VERIFIED, Site.State.REJECTED)
    )
    return [
        Settled(to_shapely(footprint), code or "", state == Site.State.REJECTED, pk)
        for pk, footprint, code, state in rows.values_list("pk", "footprint", f"{model.axis}__code", "state")
    ]


def _claim(shard: Shard, box: Box, polygon: BaseGeometry) -> ClaimSpec:
    return ClaimSpec(
        external_id=_external_id(shard.scene, box),
        geometry=polygon,
        types={shard.model.axis: ((box.type_code, box.score),)},
        score=box.score,
        scene_id=shard.scene_id,
        properties={"run": shard.run_id, "route": shard.route},
    )


def _external_id(scene: Scene, box: Box) -> str:
    return f"scene {scene.pk} {scene.version[:16]}: {' '.join(map(str, _corners(box)))} {box.type_code}"


def _corners(box: Box) -> list[float]:
    return [round(side, 1) for side in (box.x0, box.y0, box.x1, box.y1)]
