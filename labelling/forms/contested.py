"""The word of a lead on a contested site, and its way back."""

from django import forms

from labelling.forms.filters import Filter
from labelling.models import Campaign
from labelling.services.decisions.submission import MAX_COMMENT


class SettleForm(forms.Form):
    decision = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    key = forms.UUIDField()
    base_version = forms.IntegerField(min_value=0, max_value=2**31 - 1)
    comment = forms.CharField(required=False, max_length=MAX_COMMENT)
    next = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


class TakeBackForm(forms.Form):
    ruling = forms.UUIDField()
    key = forms.UUIDField()


class ContestedPlace(Filter):
    """Where in the list a lead is: in one campaign, after having settled something, or at one site."""

    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, empty_label="every campaign", to_field_name="slug"
    )
    settled = forms.UUIDField(required=False)
    site = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
