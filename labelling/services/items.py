"""What a reviewer's card shows of sites, in as many queries for fifty sites as for one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import shapely
from django.contrib.auth.models import User
from django.utils import timezone

from labelling.core.errors import NotFound
from labelling.core.outlines import to_geojson
from labelling.models import Campaign, Claim, Comment, Decision, MineType, Proposal, Scene, Site
from labelling.models.site_rows import read_sites
from labelling.models.spatial import to_shapely
from labelling.models.taxonomy import Axis
from labelling.services.blind import Sight, Told, see_sites
from labelling.services.comments import comments_on
from labelling.services.imagery import Tell, imagery_of, iso, tell_mosaic
from labelling.services.item_rows import read_mine_types, read_proposals, read_scenes, spoken_of
from labelling.services.quality import put_hidden_last

MAX_PROPOSALS = 20
MAX_HISTORY = 30
MAX_COMMENTS = 30
MAX_NOTE = 300
DIGITS = range(1, 10)

Item = dict[str, Any]


@dataclass(frozen=True)
class _Shelf:
    """Everything that belongs to the sites of one answer, by site."""

    axis: str
    mine_types: Sequence[MineType]
    scenes: Mapping[int, list[Scene]]
    claims: Mapping[int, Claim]
    tell: Tell


def build_items(
    *, user: User, sites: Sequence[Site], campaign: Campaign | None, claims: Sequence[Claim] | None = None
) -> list[Item]:
    """Describe sites for the review screen, ready for JSON.

    Args:
        user: who looks; where blind opinions are wanted, what others decided and said of an open site is left out.
        sites: from ``shown_sites``; their order is kept.
        campaign: its axis decides which types are offered; None: the axis ``feature``.
        claims: the user's on these sites; None: they are looked up.
    """
    if not sites:
        return []
    ids = [site.pk for site in sites]
    axis = campaign.axis if campaign else Axis.FEATURE.value
    if claims is None:
        claims = list(user.claims.filter(site__in=ids, expires_at__gt=timezone.now()))
    decided_on, talked_of = spoken_of(ids)
    told = Told(
        proposals=_by_site(read_proposals(ids)),
        history=_by_site(
            Decision.objects.filter(site__in=decided_on)
            .select_related("reviewer", "undone_by")
            .defer("geometry", "undone_by__geometry")
            .order_by("-id")
            if decided_on
            else ()
        ),
        comments=comments_on(sites=talked_of),
    )
    seen = see_sites(user=user, sites=sites, campaign=campaign, told=told)
    shelf = _Shelf(
        axis=axis,
        mine_types=read_mine_types(axis),
        scenes=scenes_under([seen[site.pk].site for site in sites]),
        claims={claim.site_id: claim for claim in claims},
        tell=cache(tell_mosaic),
    )
    return [_item(seen[site.pk], shelf) for site in sites]


def shown_sites(ids: Sequence[int]) -> list[Site]:
    """Fetch sites as ``build_items`` wants them, in the order of the ids; those that are gone are left out."""
    found = read_sites(ids)
    return [found[pk] for pk in ids if pk in found]


def build_item(*, user: User, site_id: int, campaign: Campaign | None) -> Item:
    """Describe one site as it stands now.

    Raises:
        NotFound: no such site.
    """
    sites = shown_sites([site_id])
    if not sites:
        msg = "no such site"
        raise NotFound(msg)
    return build_items(user=user, sites=sites, campaign=campaign)[0]


def _by_site(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.site_id].append(row)
    return found


def scenes_under(sites: Sequence[Site]) -> dict[int, list[Scene]]:
    """Find the scenes under each site, newest first, but last those that clouds hide there.

    Asked once for the boxes of all, then told apart here.
    """
    if not sites:
        return {}
    outlines = [to_shapely(site.footprint) for site in sites]
    boxes = shapely.bounds(outlines)
    scenes = read_scenes(boxes)
    tree = shapely.STRtree([scene.outline for scene in scenes])
    found = {
        site.pk: [scenes[index] for index in sorted(tree.query(outline, predicate="intersects"))]
        for site, outline in zip(sites, outlines, strict=True)
    }
    corners = map(tuple, boxes.tolist())
    return put_hidden_last(scenes=found, boxes=dict(zip(found, corners, strict=True)))


def _item(sight: Sight, shelf: _Shelf) -> Item:
    site, proposals = sight.site, sight.proposals
    claim, outline = shelf.claims.get(site.pk), to_shapely(site.footprint)
    return {
        "site": site.pk,
        "version": site.version,
        "state": site.state,
        "name": site.name,
        "point": [site.point.x, site.point.y],
        "bounds": list(outline.bounds),
        "footprint": to_geojson(outline),
        "area_ha": site.area_ha,
        "region": {"name": site.region.name, "biome": site.region.biome, "realm": site.region.realm}
        if site.region
        else None,
        "types": site.types(),
        "options": _options(shelf, proposals),
        "proposals": [_proposal(proposal) for proposal in proposals[:MAX_PROPOSALS]],
        "why": site.why,
        "score": site.score,
        "scenes": imagery_of(site=site, scenes=shelf.scenes.get(site.pk, []), tell=shelf.tell),
        "history": [_past(decision) for decision in sight.history[:MAX_HISTORY]],
        "comments": [_comment(comment) for comment in sight.comments[-MAX_COMMENTS:]],
        "claim": claim_of(claim) if claim else None,
        "synthetic": site.synthetic,
    }


def claim_of(claim: Claim) -> dict[str, Any]:
    """What the holder of a claim needs of it, ready for JSON."""
    return {"token": str(claim.token), "expires_at": iso(claim.expires_at)}


def _options(shelf: _Shelf, proposals: Sequence[Proposal]) -> list[dict[str, Any]]:
    """The types of the axis: those that a source scored first, best first; a digit never moves."""
    best: dict[str, float] = {}
    for proposal in proposals:
        for code, score in proposal.types.get(shelf.axis, []):
            if score is not None:
                best[code] = max(score, best.get(code, 0.0))
    ranked = sorted(shelf.mine_types, key=lambda mine_type: (-best.get(mine_type.code, -1.0), mine_type.rank))
    return [
        {
            "code": mine_type.code,
            "name": mine_type.name,
            "color": mine_type.color,
            "score": best.get(mine_type.code),
            "digit": mine_type.rank if mine_type.rank in DIGITS else None,
        }
        for mine_type in ranked
    ]


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.pk,
        "source": proposal.source.name,
        "kind": proposal.source.kind,
        "score": proposal.score,
        "is_mine": proposal.is_mine,
        "types": {
            axis: [{"code": code, "score": score} for code, score in offers] for axis, offers in proposal.types.items()
        },
        "geometry": to_geojson(to_shapely(proposal.geometry)),
        "licence": proposal.source.licence,
        "note": vars(proposal).get("note", "")[:MAX_NOTE],
        "scene": proposal.scene_id,
        "created_at": iso(proposal.created_at),
    }


def _past(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict,
        "reviewer": decision.reviewer.get_username(),
        "at": iso(decision.created_at),
        "types": decision.types,
        "reason": decision.reason,
        "comment": decision.comment,
        "applied": not decision.is_kept,
        "undone": hasattr(decision, "undone_by"),
    }


def _comment(comment: Comment) -> dict[str, Any]:
    return {"author": comment.author.get_username(), "at": iso(comment.created_at), "text": comment.text}
