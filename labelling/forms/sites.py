"""What can be asked of the sites. Each value stands in the URL; nothing else does."""

import math
from collections.abc import Iterator
from typing import Any, Self

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.http import QueryDict

from labelling.forms.filters import Filter
from labelling.models import MineType, Proposal, Region, Site, Source
from labelling.models.proposal import ProposalQuerySet
from labelling.models.site import SiteQuerySet
from labelling.models.spatial import Box
from labelling.models.taxonomy import Axis

NONE = "none"
PARTS_FROM = 3  # letters; PostgreSQL's index of names holds trigrams
BESIDE = ("page", "bbox")  # keys of the URL that filter nothing
_SCORE = {"step": "any", "title": "the highest score of a site; with a source, a score that it gives"}


class SiteFilter(Filter):
    q = forms.CharField(
        label="Name or number", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    state = forms.ChoiceField(required=False, choices=[("", "any"), *Site.State.choices])
    feature = forms.ChoiceField(required=False)
    commodity = forms.ChoiceField(required=False)
    method = forms.ChoiceField(required=False)
    source = forms.ModelChoiceField(Source.objects.all(), required=False, empty_label="any", to_field_name="name")
    region = forms.CharField(
        label="Region, biome or realm", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    score_from = forms.FloatField(required=False, min_value=0, max_value=1, widget=forms.NumberInput(attrs=_SCORE))
    score_to = forms.FloatField(required=False, min_value=0, max_value=1, widget=forms.NumberInput(attrs=_SCORE))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        types = list(MineType.objects.values_list("axis", "code", "name", "pk"))
        self._type_ids = {code: pk for _, code, _, pk in types}
        for axis in Axis.values:
            named = [(code, name) for its_axis, code, name, _ in types if its_axis == axis]
            field = self.fields[axis]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "any"), *named, (NONE, "not named")]

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        """The form of what stands in a URL.

        Raises:
            BadRequest: the URL asks for something that is no filter.
        """
        unknown = set(query) - set(cls.base_fields) - set(BESIDE)
        if unknown:
            msg = f"no filter {min(unknown)[:60]!r}; the filters are {', '.join(cls.base_fields)}"
            raise BadRequest(msg)
        return super().of(query)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        low, high = given.get("score_from"), given.get("score_to")
        if low is not None and high is not None and high < low:
            self.add_error("score_to", "Give no less than “Score from”.")
        return given

    def sites(self) -> SiteQuerySet:
        """The sites that the form asks for; none where it asks for nonsense."""
        if not self.is_valid():
            return Site.objects.none()
        wanted = self.cleaned_data
        sites = Site.objects.filter(_named(wanted["q"]), _in_region(wanted["region"]), *self._typed())
        if wanted["state"]:
            sites = sites.filter(state=wanted["state"])
        return sites.claimed(self._claims(), wanted["score_from"], wanted["score_to"])

    def rows(self) -> SiteQuerySet:
        """All sites, each with ``shown_score``: the highest, of its source where the form names one."""
        claims = self._claims() if self.is_valid() else None
        if claims is None:
            return Site.objects.annotate(shown_score=F("score"))
        highest = claims.values("site").annotate(highest=Max("score")).values("highest")
        return Site.objects.annotate(shown_score=Subquery(highest))

    def _claims(self) -> ProposalQuerySet | None:
        """What the source says that the form names, on a site of the query around."""
        if source := self.cleaned_data["source"]:
            return Proposal.objects.standing().filter(site=OuterRef("pk"), source=source).order_by()
        return None

    def _typed(self) -> Iterator[Q]:
        for axis in Axis.values:
            if code := self.cleaned_data[axis]:
                # By its number: PostgreSQL knows how common each is, but nothing across a join.
                yield Q(**{axis: None if code == NONE else self._type_ids[code]})


def _named(text: str) -> Q:
    if not text:
        return Q()
    number = text.strip().removeprefix("#")
    if number.isdecimal():
        return Q(pk=int(number)) if len(number) < 19 else Q(pk__in=[])
    if len(text) < PARTS_FROM:
        # Too short for an index of parts: the beginning of a word.
        return Q(name__istartswith=text) | Q(name__icontains=f" {text}")
    return Q(name__icontains=text)


def _in_region(text: str) -> Q:
    if not text:
        return Q()
    # Asked for first: which regions they are decides how PostgreSQL had best look for their sites.
    return Q(region__in=list(regions_called(text).order_by().values_list("pk", flat=True)))


def regions_called(text: str) -> QuerySet[Region]:
    """The ecoregions whose name, biome or realm has a text in it."""
    return Region.objects.filter(Q(name__icontains=text) | Q(biome__icontains=text) | Q(realm__icontains=text))


def read_bbox(text: str) -> Box:
    """Read ``west,south,east,north`` in degrees; west above east reaches over the antimeridian.

    Raises:
        BadRequest: not four numbers on the Earth.
    """
    try:
        west, south, east, north = (float(part) for part in text[:200].split(","))
    except ValueError as error:
        msg = "bbox is west,south,east,north in degrees"
        raise BadRequest(msg) from error
    on_earth = all(map(math.isfinite, (west, south, east, north))) and max(abs(west), abs(east)) <= 720
    if not on_earth or not -90 <= south <= north <= 90:
        msg = "bbox is west,south,east,north in degrees, south below north"
        raise BadRequest(msg)
    return west, south, east, north
