"""Windows in which a person has said: everything here is labelled."""

from typing import cast
from uuid import UUID

from django.contrib.auth.models import User
from django.contrib.gis.geos import GEOSGeometry, Polygon
from django.db import IntegrityError, transaction
from django.utils import timezone

from labelling.core.errors import BadInput, KeyReused, NotFound
from labelling.core.outlines import check_window
from labelling.models import Campaign, ReviewedArea, Scene
from labelling.models.spatial import Box, in_box, to_geos, to_shapely
from labelling.models.taxonomy import Axis

MAX_AREAS = 500


def complete_area(
    *,
    user: User,
    key: UUID,
    geometry: GEOSGeometry,
    axis: str,
    campaign: Campaign | None = None,
    scene: Scene | None = None,
) -> ReviewedArea:
    """Say that everything in a window is labelled on an axis; sent twice it counts once.

    Args:
        user: who says so.
        key: made in the browser.
        geometry: one valid polygon of at most 250 000 ha, EPSG:4326.
        axis: one of ``Axis``.
        campaign: the campaign in which it was reviewed.
        scene: the scene that was on screen.

    Raises:
        BadInput: an unknown axis.
        BadGeometry: a window that cannot be taken.
        KeyReused: the key has been used for another window.
    """
    if axis not in Axis.values:
        msg = f"unknown axis {axis!r}: use {', '.join(Axis.values)}"
        raise BadInput(msg)
    window = cast(Polygon, to_geos(check_window(to_shapely(geometry))))
    wanted = ReviewedArea(key=key, geometry=window, axis=axis, reviewer=user, campaign=campaign, scene=scene)
    try:
        with transaction.atomic():
            wanted.save(force_insert=True)
    except IntegrityError:
        stored = ReviewedArea.objects.filter(key=key).first()
        if stored is None:
            raise
        if _content(stored) != _content(wanted):
            msg = "this key has been used for another window: make a new key for each window"
            raise KeyReused(msg) from None
        return stored
    return wanted


def _content(area: ReviewedArea) -> tuple[object, ...]:
    return area.geometry.wkb.hex(), area.axis, area.reviewer_id, area.campaign_id, area.scene_id


def revoke_area(*, user: User, key: UUID) -> ReviewedArea:
    """Take back that everything in a window is labelled; twice is once.

    Raises:
        NotFound: no such window, or another reviewer's (a lead may take back anybody's).
    """
    areas = ReviewedArea.objects.filter(key=key)
    if not user.has_perm("labelling.change_reviewedarea"):
        areas = areas.filter(reviewer=user)
    areas.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
    found = areas.first()
    if found is None:
        msg = "no such window of yours"
        raise NotFound(msg)
    return found


def areas_in(*, box: Box) -> list[ReviewedArea]:
    """The standing windows that touch a box, newest first, at most 500."""
    areas = ReviewedArea.objects.filter(in_box(ReviewedArea, "geometry", box), revoked_at__isnull=True)
    return list(areas.select_related("reviewer", "campaign").order_by("-id")[:MAX_AREAS])
