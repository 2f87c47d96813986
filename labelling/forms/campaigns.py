import json
from typing import Any

from django import forms
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q

from labelling.core.campaigns import EVIDENCE, MAX_AREA_TEXT, CampaignFilter, read_area
from labelling.core.errors import BadInput
from labelling.core.gold import MAX_SHARE
from labelling.core.outlines import to_geojson
from labelling.models import Campaign, MineType, Region, Site, Source
from labelling.models.taxonomy import Axis
from labelling.services.campaigns import LEASE_S, MAX_REVIEWS, Terms, change_campaign, create_campaign

WORK = ("name", "axis", "reviews_needed", "blind_share", "gold_share", "lease_s", "guideline", "reviewers")
CONDITIONS = ("sources", "types", "regions", "min_score", "max_score", "evidence", "suspect")


def _reviewers() -> Any:
    may = Permission.objects.filter(content_type__app_label="labelling", codename="add_decision")
    through = Q(groups__permissions__in=may) | Q(user_permissions__in=may) | Q(is_superuser=True)
    return User.objects.filter(through, is_active=True).distinct().order_by("username")


def has_sites() -> Exists:
    """Whether a region has any."""
    return Exists(Site.objects.filter(region=OuterRef("pk")).order_by())


class CampaignForm(forms.Form):
    """What a campaign asks for, of whom, and of which sites. Empty conditions ask for nothing."""

    name = forms.CharField(max_length=120)
    axis = forms.ChoiceField(choices=Axis.choices, initial=Axis.FEATURE, help_text="Its types are the answers.")
    reviews_needed = forms.IntegerField(
        label="Opinions a site", min_value=1, max_value=MAX_REVIEWS, initial=1, help_text="Above one they are blind."
    )
    blind_share = forms.FloatField(
        label="Share with a second opinion",
        required=False,
        min_value=0,
        max_value=1,
        initial=0.0,
        widget=forms.NumberInput(attrs={"step": "0.05"}),
        help_text="0 to 1: of the sites that one opinion would settle, those that get two, blind.",
    )
    gold_share = forms.FloatField(
        label="Share of gold sites",
        required=False,
        min_value=0,
        max_value=MAX_SHARE,
        initial=0.0,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text="0 to 0.5: of what a reviewer gets, sites whose answer is known, hidden among the others.",
    )
    lease_s = forms.IntegerField(
        label="Kept for a reviewer",
        min_value=LEASE_S.start,
        max_value=LEASE_S.stop - 1,
        initial=600,
        help_text="Seconds without a sign of life until a site is free again.",
    )
    guideline = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What reviewers should know.",
    )
    reviewers = forms.ModelMultipleChoiceField(
        User.objects.none(), required=False, widget=forms.CheckboxSelectMultiple, help_text="None: every reviewer."
    )
    sources = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="One of them proposed the site. None: any."
    )
    types = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, help_text="The site has one of them now. None: any."
    )
    regions = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="Ecoregions that have sites. None: everywhere.",
    )
    min_score = forms.FloatField(
        label="Least score",
        required=False,
        min_value=0,
        max_value=1,
        help_text="0 to 1, of the sources where some are named; sites that only seeds speak of have none.",
    )
    max_score = forms.FloatField(
        label="Highest score",
        required=False,
        min_value=0,
        max_value=1,
        help_text="0 to 1; with both, the sites that a model is unsure of can be asked for.",
    )
    evidence = forms.MultipleChoiceField(
        required=False,
        choices=list(EVIDENCE.items()),
        widget=forms.CheckboxSelectMultiple,
        help_text="There must be all of it. None: whatever there is.",
    )
    suspect = forms.BooleanField(
        label="Suspect labels",
        required=False,
        help_text="Judged sites whose label looks wrong, instead of open ones. For leads alone.",
    )
    area = forms.CharField(
        required=False,
        max_length=MAX_AREA_TEXT,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
        help_text="GeoJSON in degrees. The sites that it touches. Empty: everywhere.",
    )
    active = forms.BooleanField(required=False, initial=True, label="Open to reviewers")

    def __init__(
        self, *args: Any, campaign: Campaign | None = None, start: CampaignFilter | None = None, **options: Any
    ) -> None:
        self.campaign = campaign
        self._start = campaign.conditions() if campaign else start or CampaignFilter()
        self._asked: CampaignFilter | None = None
        options["initial"] = (_terms(campaign) if campaign else {}) | _shown(self._start)
        super().__init__(*args, **options)
        if campaign is None:
            del self.fields["active"]
        known = list(MineType.objects.order_by("rank", "code").values_list("axis", "code", "name"))
        here = Q(has_sites()) | Q(eco_id__in=self._start.regions)
        self._choose("sources", [(name, name) for name in Source.objects.values_list("name", flat=True)])
        self._choose(
            "types",
            [(axis, [(code, name) for its, code, name in known if its == axis]) for axis in Axis.values],
        )
        self._choose("regions", list(Region.objects.filter(here).values_list("eco_id", "name")))
        reviewers = self.fields["reviewers"]
        assert isinstance(reviewers, forms.ModelMultipleChoiceField)
        reviewers.queryset = _reviewers()

    def _choose(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def work_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in WORK]

    @property
    def condition_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in CONDITIONS]

    def clean_blind_share(self) -> float:
        return self.cleaned_data["blind_share"] or 0.0

    def clean_gold_share(self) -> float:
        return self.cleaned_data["gold_share"] or 0.0

    def clean_area(self) -> dict[str, Any] | None:
        text = self.cleaned_data["area"]
        if not text:
            return None
        try:
            return to_geojson(read_area(text))
        except BadInput as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not any(name in self.errors for name in ("area", *CONDITIONS)):
            try:
                self._asked = CampaignFilter.from_json(self._conditions())
            except BadInput as error:
                raise ValidationError(str(error)) from error
        return given

    def conditions(self) -> CampaignFilter | None:
        """The filter, as far as the form can be read; None where one of its fields cannot."""
        if not self.is_bound:
            return self._start
        return self._asked if self.errors or self.is_valid() else None

    def _conditions(self) -> dict[str, Any]:
        given = {name: self.cleaned_data[name] for name in ("area", *CONDITIONS)}
        return {name: value for name, value in given.items() if value is not False and value not in (None, [])}

    def save(self) -> Campaign | None:
        """Open or change the campaign; None, with an error in the form, where its terms cannot be had."""
        terms = Terms(conditions=self._conditions(), **{name: self.cleaned_data[name] for name in WORK})
        try:
            if self.campaign is None:
                return create_campaign(terms=terms)
            return change_campaign(campaign=self.campaign, terms=terms, active=self.cleaned_data["active"])
        except BadInput as error:
            self.add_error(None, str(error))
            return None


def _terms(campaign: Campaign) -> dict[str, Any]:
    """What the fields of the work show for a campaign."""
    plain = ("name", "axis", "reviews_needed", "blind_share", "gold_share", "lease_s", "guideline", "active")
    return {
        **{name: getattr(campaign, name) for name in plain},
        "reviewers": list(campaign.reviewers.values_list("pk", flat=True)),
    }


def _shown(conditions: CampaignFilter) -> dict[str, Any]:
    """What the fields of the conditions show."""
    values = conditions.to_json()
    area = values.pop("area", None)
    return {**values, "area": json.dumps(area) if area else ""}
