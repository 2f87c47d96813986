"""What the form of a campaign takes over from the filter of the sites page, and what a campaign cannot ask for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django import forms

from labelling.core.campaigns import MAX_VALUES, CampaignFilter
from labelling.forms.campaigns import has_sites
from labelling.forms.sites import NONE, SiteFilter, regions_called
from labelling.models import Site
from labelling.models.taxonomy import Axis

_OPEN_ONLY = "a campaign serves open sites; “set back to review” on the sites page makes others open"


class LeftOut(NamedTuple):
    """A condition that is not taken over: as the filter shows it, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class CampaignStart:
    """What a new campaign begins with.

    Attributes:
        conditions: those of the sites page that a campaign can ask for.
        taken: the same as the filter shows them.
        left_out: the others. Without any, the campaign serves the open ones of the very sites of the page.
        found: how many sites the page has, where something is left out.
    """

    conditions: CampaignFilter
    taken: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    found: int | None = None


def start_from(asked: SiteFilter) -> CampaignStart:
    """Take over what a valid filter of the sites page asks for."""
    wanted = asked.cleaned_data
    typed = _typed(asked)
    regions = _regions(wanted["region"])
    conditions = CampaignFilter(
        sources=(wanted["source"].name,) if wanted["source"] else (),
        types=tuple(wanted[axis] for axis in typed[:1]),
        regions=regions if len(regions) <= MAX_VALUES else (),
        min_score=wanted["score_from"],
        max_score=wanted["score_to"],
    )
    why = dict(_left_out(wanted, typed[1:], len(regions)))
    return CampaignStart(
        conditions,
        taken=tuple(_said(asked, name) for name in asked.fields if _is_asked(wanted[name]) and name not in why),
        left_out=tuple(LeftOut(_said(asked, name), why[name]) for name in asked.fields if name in why),
        found=asked.sites().count() if why else None,
    )


def _is_asked(value: object) -> bool:
    """Whether a field asks for something; a score of 0 asks for sites that have one."""
    return value not in ("", None)


def _typed(asked: SiteFilter) -> list[str]:
    """The axes on which the filter asks for a type."""
    return [axis for axis in Axis.values if asked.cleaned_data[axis] not in ("", NONE)]


def _regions(text: str) -> tuple[int, ...]:
    """The ecoregions that a text names and that have sites, as the form offers them."""
    return tuple(regions_called(text).filter(has_sites()).values_list("eco_id", flat=True)) if text else ()


def _left_out(wanted: Mapping[str, Any], further: Sequence[str], regions: int) -> Iterator[tuple[str, str]]:
    """The fields that are not taken over, each with the reason."""
    if wanted["q"]:
        yield "q", "a campaign does not ask for names or numbers"
    if wanted["state"] not in ("", Site.State.OPEN):
        yield "state", _OPEN_ONLY
    for axis in Axis.values:
        if wanted[axis] == NONE:
            yield axis, "a campaign asks for the types that sites have"
        elif axis in further:
            yield axis, "a campaign asks for any of its types, not for one on each axis"
    if wanted["region"] and not regions:
        yield "region", "no ecoregion with sites is called so"
    elif regions > MAX_VALUES:
        yield "region", f"these are {regions} ecoregions, and a campaign names at most {MAX_VALUES}"


def _said(asked: SiteFilter, name: str) -> str:
    """A condition as the filter shows it, as in ``State: verified``."""
    field, value = asked.fields[name], asked.cleaned_data[name]
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        value = dict(field.choices)[value]  # type: ignore[arg-type]  # the stubs allow what no field of ours has
    return f"{asked[name].label}: {value}"
