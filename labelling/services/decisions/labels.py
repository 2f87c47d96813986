"""Labels: derived from the decisions, and rebuilt from them at any time."""

from collections.abc import Iterable

from django.contrib.gis.geos import Point
from django.db import transaction
from django.utils import timezone

from labelling.core.geometry import area_ha, inner_point
from labelling.core.review import Settlement, settle
from labelling.models import Decision, Label, MineType, Site
from labelling.models.rows import insert_row, update_rows
from labelling.models.spatial import cell_at, to_shapely
from labelling.models.taxonomy import Axis
from labelling.services.decisions.pairs import pair_opinions
from labelling.services.sites import refresh_site

_LABEL_FIELDS = ["state", *(f"{axis}_id" for axis in Axis.values), "reason", "decision_id", "reviews", "decided_at"]


def derive_label(*, site: Site, made: Decision | None = None) -> Settlement:
    """Judge the decisions on a site and write what they amount to: its label, its state and what it shows.

    The caller holds the site's row, and has counted its version up; it is written with the rest. A verified site
    takes outline and types of its label, a rejected one its outline; one that is open again is summed up from its
    proposals.

    Args:
        site: the site; its fields follow what is written.
        made: the decision that was just applied; where it is the first, no other need be looked up.

    Returns:
        What the decisions amount to.
    """
    decisions = [made] if made is not None and site.version == 1 else list(site.decisions.order_by("id"))
    settlement = settle([decision.opinion() for decision in decisions])
    pair_opinions(site=site, decisions=decisions)
    before, site.state = site.state, settlement.state
    if settlement.state == "open":
        Label.objects.filter(site=site).delete()
        site.due_again = False
        Site.objects.filter(pk=site.pk).update(
            state=site.state, due_again=False, version=site.version, updated_at=timezone.now()
        )
        if before != site.state:
            _reopen(site, decisions)
        return settlement
    label = label_of(site, settlement, {decision.pk: decision for decision in decisions})
    insert_row(label, over="site")
    site.due_again = (
        settlement.state != "contested" and settlement.reviews < site.least_opinions and not label.decision.as_lead
    )
    _show(site, label)
    return settlement


def label_of(site: Site, settlement: Settlement, decisions: dict[int, Decision]) -> Label:
    """The label, not yet written, that decisions which settle a site amount to.

    Args:
        site: the site.
        settlement: what the decisions amount to; not ``open``.
        decisions: all on the site, by id.
    """
    settled_by, outline = decisions[settlement.settled_by or 0], decisions[settlement.outline or 0]
    mine_types = _mine_types(site, set(settlement.types.values()))
    return Label(
        site=site,
        state=settlement.state,
        geometry=outline.geometry,
        reason=settlement.reason,
        decision=settled_by,
        reviews=settlement.reviews,
        decided_at=settled_by.created_at,
        **{axis: mine_types[code] for axis, code in settlement.types.items()},
    )


def _mine_types(site: Site, codes: set[str]) -> dict[str, MineType]:
    """Mine types by code; those that the site has now, which are at hand, are not asked for."""
    known = {one.code: one for one in site.types_shown()}
    return known if codes <= known.keys() else MineType.objects.in_bulk(codes, field_name="code")


def _show(site: Site, label: Label) -> None:
    """Let the site show what its label says."""
    changed = ["state", "due_again", "version", "updated_at"]
    site.updated_at = timezone.now()
    if label.state == Label.State.VERIFIED:
        for axis in Axis.values:
            setattr(site, axis, getattr(label, axis))
        changed += Axis.values
    if label.state != Label.State.CONTESTED and label.geometry != site.footprint:
        _draw(site, label)
        changed += ["footprint", "point", "cell", "area_ha"]
    update_rows([site], changed)


def _draw(site: Site, label: Label) -> None:
    outline = to_shapely(label.geometry)
    inner = inner_point(outline)
    site.footprint, site.point = label.geometry, Point(inner.x, inner.y, srid=4326)
    site.cell = cell_at(site.point)
    site.area_ha = area_ha(outline)


def _reopen(site: Site, decisions: list[Decision]) -> None:
    """Bring back what the proposals say. A drawing that its author took back goes to the end of the queue."""
    refresh_site(site=site)
    drawn = {f"{decision.key}" for decision in decisions if decision.verdict == Decision.Verdict.ADD}
    if drawn and not site.proposals.exclude(external_id__in=drawn).exists():
        site.priority, site.why = -1.0, "somebody drew it and took it back: is there anything here?"
        site.save(update_fields=["priority", "why"])


def rebuild_labels(*, sites: Iterable[int]) -> int:
    """Derive labels again from the decisions, one transaction per site.

    Args:
        sites: ids of those to rebuild.

    Returns:
        How many labels, or states of a site, were not what the decisions say.
    """
    return sum(_rebuild_label(pk) for pk in sites)


@transaction.atomic
def _rebuild_label(site_id: int) -> bool:
    site = Site.objects.select_for_update().get(pk=site_id)
    before = site.state, _written(site_id)
    derive_label(site=site)
    return before != (site.state, _written(site_id))


def _written(site_id: int) -> tuple[object, ...] | None:
    label = Label.objects.filter(site_id=site_id).first()
    return None if label is None else written_in(label)


def written_in(label: Label) -> tuple[object, ...]:
    """All that a label says, to compare it."""
    return (label.geometry.wkb, *(getattr(label, name) for name in _LABEL_FIELDS))
