"""What can be asked of the sites. Each value stands in the URL; nothing else does."""

import math
from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from labelling.models import MineType, Proposal, Region, Site, Source
from labelling.models.site import SiteQuerySet
from labelling.models.spatial import Box
from labelling.models.taxonomy import Axis

NONE = "none"
BESIDE = ("page", "bbox")  # keys of the URL that filter nothing


class SiteFilter(forms.Form):
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

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        types = list(MineType.objects.values_list("axis", "code", "name"))
        for axis in Axis.values:
            named = [(code, name) for its_axis, code, name in types if its_axis == axis]
            field = self.fields[axis]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "any"), *named, (NONE, "not named")]

    @classmethod
    def of(cls, request: HttpRequest) -> "SiteFilter":
        """The form of a request.

        Raises:
            BadRequest: the URL asks for something that is no filter.
        """
        unknown = set(request.GET) - set(cls.base_fields) - set(BESIDE)
        if unknown:
            msg = f"no filter {min(unknown)[:60]!r}; the filters are {', '.join(cls.base_fields)}"
            raise BadRequest(msg)
        return cls(request.GET, label_suffix="")

    @property
    def is_filtered(self) -> bool:
        return any(self.data.get(name) for name in self.fields)

    def sites(self) -> SiteQuerySet:
        """The sites that the form asks for; none where it asks for nonsense."""
        if not self.is_valid():
            return Site.objects.none()
        wanted = self.cleaned_data
        sites = Site.objects.filter(_named(wanted["q"]), _in_region(wanted["region"]), _typed(wanted))
        if wanted["state"]:
            sites = sites.filter(state=wanted["state"])
        if wanted["source"]:
            claims = Proposal.objects.filter(site=OuterRef("pk"), source=wanted["source"])
            sites = sites.filter(Exists(claims.order_by()))
        return sites


def _named(text: str) -> Q:
    if not text:
        return Q()
    number = text.strip().removeprefix("#")
    if number.isdecimal():
        return Q(pk=int(number)) if len(number) < 19 else Q(pk__in=[])
    return Q(name__icontains=text)


def _in_region(text: str) -> Q:
    if not text:
        return Q()
    called = Q(name__icontains=text) | Q(biome__icontains=text) | Q(realm__icontains=text)
    # Asked for first: which regions they are decides how PostgreSQL had best look for their sites.
    return Q(region__in=list(Region.objects.filter(called).order_by().values_list("pk", flat=True)))


def _typed(wanted: dict[str, Any]) -> Q:
    found = Q()
    for axis, unnamed, named in (
        (Axis.FEATURE, Q(feature=None), Q(feature__code=wanted["feature"])),
        (Axis.COMMODITY, Q(commodity=None), Q(commodity__code=wanted["commodity"])),
        (Axis.METHOD, Q(method=None), Q(method__code=wanted["method"])),
    ):
        if wanted[axis]:
            found &= unnamed if wanted[axis] == NONE else named
    return found


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
