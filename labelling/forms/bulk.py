"""What a lead asks to be done to many sites, and to which."""

from django import forms
from django.core.exceptions import BadRequest
from django.http import QueryDict

from labelling.forms.sites import SiteFilter
from labelling.models import BulkAction, Decision, MineType, Site
from labelling.models.site import SiteQuerySet
from labelling.models.taxonomy import Axis
from labelling.services.bulk import MAX_SHIFT_M, Wish
from labelling.services.decisions.submission import MAX_COMMENT

FILTER, PICKED = "filter", "picked"


class PickedSites(forms.TypedMultipleChoiceField):
    """Numbers of sites, as many as a page has; whether they exist is the query's business."""

    def valid_value(self, value: object) -> bool:
        return str(value).isdecimal() and len(str(value)) < 19


class BulkForm(forms.Form):
    kind = forms.ChoiceField(label="Do what", choices=BulkAction.Kind.choices)
    reason = forms.ChoiceField(label="Reason", required=False, choices=[("", "choose"), *Decision.Reason.choices])
    type = forms.ChoiceField(label="Type", required=False)
    comment = forms.CharField(
        label="Comment",
        required=False,
        max_length=MAX_COMMENT,
        widget=forms.TextInput(attrs={"placeholder": "goes with every decision"}),
    )
    east = forms.FloatField(
        label="Metres east (−: west)", required=False, initial=0, min_value=-MAX_SHIFT_M, max_value=MAX_SHIFT_M
    )
    north = forms.FloatField(
        label="Metres north (−: south)", required=False, initial=0, min_value=-MAX_SHIFT_M, max_value=MAX_SHIFT_M
    )
    scope = forms.ChoiceField(choices=[(FILTER, "all that fit"), (PICKED, "those picked")])
    asked = forms.CharField(required=False, max_length=2000)
    site = PickedSites(required=False, coerce=int)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, label_suffix="", auto_id="bulk-%s")
        field = self.fields["type"]
        assert isinstance(field, forms.ChoiceField)
        types = list(MineType.objects.order_by("axis", "rank", "name").values_list("axis", "code", "name"))
        named = [(axis.label, [(code, name) for of, code, name in types if of == axis]) for axis in Axis]
        field.choices = [("", "choose"), *named]

    def wish(self) -> Wish:
        said = {name: self.cleaned_data[name] for name in ("kind", "reason", "type", "comment")}
        return Wish(**said, east=self.cleaned_data["east"] or 0.0, north=self.cleaned_data["north"] or 0.0)

    def sites(self) -> SiteQuerySet:
        """The sites that are meant.

        Raises:
            BadRequest: the filter is none.
        """
        if self.cleaned_data["scope"] == PICKED:
            return Site.objects.filter(pk__in=self.cleaned_data["site"])
        return SiteFilter.checked(QueryDict(self.cleaned_data["asked"])).sites()

    @property
    def asked_filter(self) -> str:
        """The filter that found the sites; empty where they were picked by hand."""
        return self.cleaned_data["asked"] if self.cleaned_data["scope"] == FILTER else ""

    @classmethod
    def checked(cls, data: QueryDict) -> "BulkForm":
        """The form as it was sent.

        Raises:
            BadRequest: it did not come from our page.
        """
        form = cls(data)
        if not form.is_valid():
            msg = "this does not say what to do to which sites"
            raise BadRequest(msg)
        return form
