"""What a card is made of, read for all sites of an answer at once by statements that are composed once."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from labelling.models import MineType, Proposal, Scene, Source
from labelling.models.rows import columns_of
from labelling.models.spatial import ids_in_boxes

_OF_PROPOSAL = ("id", "site", "source", "geometry", "types", "score", "is_mine", "scene", "created_at")
_OF_SOURCE = ("name", "kind", "licence")
_NOTE = {"postgresql": "p.properties ->> 'note'", "sqlite": "json_extract(p.properties, '$.note')"}
_OF_TYPE = ("id", "code", "name", "color", "rank")


def read_proposals(ids: Sequence[int]) -> list[Proposal]:
    """The standing proposals of sites with their sources, the best first; ``note`` is why a model says so.

    Whatever else is asked of a proposal or its source is read when it is asked for.
    """
    found = list(Proposal.objects.raw(_proposals(connection.vendor).format(sites=_places(ids)), list(ids)))
    for proposal in found:
        read = vars(proposal)
        of_source = [read.pop(f"source_{name}") for name in _OF_SOURCE]
        proposal.source = Source.from_db(None, ["id", *_OF_SOURCE], [proposal.source_id, *of_source])
        says_why = proposal.source.kind == Source.Kind.MODEL  # what a seed calls a note is its own
        read["note"] = str(read["note"] or "") if says_why else ""
    return found


def read_mine_types(axis: str) -> list[MineType]:
    """The mine types of an axis in their order, without their guidelines."""
    text = f"SELECT {', '.join(_OF_TYPE)} FROM labelling_minetype WHERE axis = %s ORDER BY rank, code"  # noqa: S608  # our names
    return list(MineType.objects.raw(text, [axis]))


def read_scenes(boxes: NDArray[np.float64]) -> list[Scene]:
    """The scenes whose footprint's own box touches one of some boxes, in the order of ``newest_first``.

    Args:
        boxes: west, south, east, north in degrees, none over the antimeridian, shape (N, 4).
    """
    ids = ids_in_boxes(Scene, "footprint", boxes)
    if not ids:
        return []
    text = (
        f"SELECT {columns_of(Scene, 's', connection.vendor)} FROM labelling_scene s"  # noqa: S608  # our names
        f" WHERE s.id IN ({_places(ids)}) ORDER BY s.kind DESC, s.acquired_at DESC, s.name"
    )
    return list(Scene.objects.raw(text, list(ids)))


def spoken_of(ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Those of some sites that were decided on, and those that were talked of: most of a queue neither."""
    places = _places(ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 'decided', site_id FROM labelling_decision WHERE site_id IN ({places})"  # noqa: S608  # places of values
            f" UNION SELECT 'said', site_id FROM labelling_comment WHERE site_id IN ({places})",
            [*ids, *ids],
        )
        found = cursor.fetchall()
    return [pk for what, pk in found if what == "decided"], [pk for what, pk in found if what == "said"]


def _places(ids: Sequence[int] | set[int]) -> str:
    return ", ".join(["%s"] * len(ids))


@lru_cache
def _proposals(vendor: str) -> str:
    of_source = ", ".join(f"source.{name} AS source_{name}" for name in _OF_SOURCE)
    return (
        f"SELECT {columns_of(Proposal, 'p', vendor, _OF_PROPOSAL)}, {_NOTE[vendor]} AS note, {of_source}"  # noqa: S608  # our names
        " FROM labelling_proposal p JOIN labelling_source source ON source.id = p.source_id"
        " WHERE p.site_id IN ({sites})"
        " AND NOT EXISTS (SELECT 1 FROM labelling_retirement gone WHERE gone.proposal_id = p.id)"
        " ORDER BY p.score DESC NULLS LAST, p.id"
    )
