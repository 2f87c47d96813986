"""The labels that look wrong: found, kept with the reasons, served to leads as a queue."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from labelling.core.review import BACKGROUND_REASONS, LEADS
from labelling.core.sites import whole_reasons
from labelling.core.suspects import Doubt, Word, doubts_of, is_news, ranked, strength
from labelling.models import Campaign, Label, Proposal, Site, Source, Suspect
from labelling.models.spatial import to_shapely
from labelling.models.taxonomy import Axis
from labelling.services.pictures import Picture, take_pictures

CAMPAIGN = "Suspect labels"
PRIORITY = 10.0
"""A suspect site stands in its queue by the strength of the doubts, times this."""
_BATCH = 500
_SEEDS = (
    Source.Kind.COBALT,
    Source.Kind.LABELLED,
    Source.Kind.POLYGONS,
    Source.Kind.NEGATIVES,
)
Doubts = Mapping[int, Sequence[Doubt]]
"""Site -> doubts that a room above has found."""


@dataclass(frozen=True)
class Found:
    """What a look at every label gave.

    Attributes:
        labels: that were looked at.
        suspects: that wait for a lead now.
        fresh: of them, those that did not wait before.
        settled: doubts that a decision has answered.
    """

    labels: int
    suspects: int
    fresh: int
    settled: int


def find_suspects(*, doubts: Doubts | None = None) -> Found:
    """Look at every verified and rejected label, and keep which of them look wrong, and why.

    A doubt that a lead has answered by a decision stays answered until there is evidence of another kind: a source,
    a type or a model that had not spoken before.

    Args:
        doubts: what models hold against labels; seeds are looked at here.
    """
    seen = fresh = 0
    for labels in _label_batches():
        seen += len(labels)
        fresh += _keep(labels, doubts or {})
    waiting = Suspect.objects.waiting().count()
    settled = Suspect.objects.count() - waiting
    if waiting:
        ensure_suspect_campaign()
    return Found(seen, waiting, fresh, settled)


def _label_batches() -> Iterator[list[Label]]:
    judged = Label.objects.filter(state__in=(Label.State.VERIFIED, Label.State.REJECTED))
    last = 0
    while batch := list(judged.filter(pk__gt=last).select_related(*Axis.values).order_by("pk")[:_BATCH]):
        last = batch[-1].pk
        yield batch


@transaction.atomic
def _keep(labels: Sequence[Label], doubts: Doubts) -> int:
    words = _words([label.site_id for label in labels])
    before = {one.site_id: one for one in Suspect.objects.filter(site__in=[label.site_id for label in labels])}
    keep, drop, fresh = [], [], 0
    for label in labels:
        is_verified = label.state == Label.State.VERIFIED
        found = [*doubts.get(label.site_id, ())]
        if is_verified or label.reason in BACKGROUND_REASONS:
            found += doubts_of(words[label.site_id], is_verified=is_verified, types=label.types())
        old = before.get(label.site_id)
        settled = _settled(old, label)
        if is_news(found, settled):
            keep.append(_suspect(label, ranked(found), settled))
            fresh += old is None or old.decision_id != label.decision_id
        elif old is not None and old.decision_id == label.decision_id:
            drop.append(old.pk)
    Suspect.objects.filter(pk__in=drop).delete()
    Suspect.objects.bulk_create(
        keep,
        update_conflicts=True,
        unique_fields=["site"],
        update_fields=["decision", "score", "doubts", "settled", "found_at"],
    )
    _say_why(keep)
    return fresh


def _settled(old: Suspect | None, label: Label) -> list[str]:
    """Every doubt that was there when somebody decided anew."""
    if old is None or old.decision_id == label.decision_id:
        return [] if old is None else old.settled
    return sorted({*old.settled, *(doubt["token"] for doubt in old.doubts)})


def _suspect(label: Label, doubts: Sequence[Doubt], settled: list[str]) -> Suspect:
    news = [doubt for doubt in doubts if doubt.token not in settled]
    return Suspect(
        site_id=label.site_id,
        decision_id=label.decision_id,
        score=strength(news),
        doubts=[doubt.to_json() for doubt in news],
        settled=settled,
    )


def _say_why(suspects: Sequence[Suspect]) -> None:
    """The queue goes by the site's own priority, and its card says the site's own words."""
    sites = [
        Site(
            pk=one.site_id,
            priority=PRIORITY * one.score,
            why=whole_reasons("; ".join(each["words"] for each in one.doubts)),
        )
        for one in suspects
    ]
    judged = Site.objects.filter(state__in=(Site.State.VERIFIED, Site.State.REJECTED))
    judged.bulk_update(sites, ["priority", "why"], batch_size=200)


def _words(site_ids: Sequence[int]) -> dict[int, list[Word]]:
    found: dict[int, list[Word]] = defaultdict(list)
    rows = Proposal.objects.standing().filter(site__in=site_ids, source__kind__in=_SEEDS)
    for one in rows.select_related("source").order_by("pk"):
        types = {axis: offers[0][0] for axis, offers in one.types.items() if offers}
        found[one.site_id].append(Word(one.source.name, one.source.kind, to_shapely(one.geometry), types, one.is_mine))
    return found


@dataclass(frozen=True)
class Case:
    """A suspect as the page shows it: the site, what its label says, and the ground."""

    suspect: Suspect
    site: Site
    label: Label
    picture: Picture


def waiting_suspects() -> QuerySet[Suspect]:
    """The suspects that wait for a lead, the strongest first."""
    return Suspect.objects.waiting().order_by("-score", "site_id")


def describe_suspects(*, suspects: Sequence[Suspect]) -> list[Case]:
    """Tell what is doubted, in as many queries for many as for one."""
    ids = [one.site_id for one in suspects]
    sites = {site.pk: site for site in Site.objects.shown().filter(pk__in=ids)}
    judged = Label.objects.filter(site__in=ids).select_related("decision__reviewer", *Axis.values)
    labels = {label.site_id: label for label in judged}
    pictures = take_pictures(of=[(sites[pk], [sites[pk].footprint]) for pk in ids])
    return [
        Case(one, sites[one.site_id], labels[one.site_id], picture)
        for one, picture in zip(suspects, pictures, strict=True)
    ]


def ensure_suspect_campaign() -> Campaign:
    """Give the queue of suspect labels, which only leads see; made where there is none."""
    campaign, _ = Campaign.objects.get_or_create(
        slug="suspect-labels",
        defaults={
            "name": CAMPAIGN,
            "filter": {"suspect": True},
            "guideline": "Labels that look wrong. Accept what is right: it is asked about again only when there is new "
            "evidence. Change the type, or reject, what is wrong.",
        },
    )
    return campaign


def count_suspects(*, user: User) -> int:
    """How many labels wait for this user: none unless the user may settle them."""
    return Suspect.objects.waiting().count() if user.has_perm(LEADS) else 0
