"""What can be asked of the figures of agreement, and of the rows behind them. Each value stands in the URL."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import User

from labelling.core.agreement import ANSWERS
from labelling.forms.filters import Filter
from labelling.models import Campaign, Decision, MineType
from labelling.models.taxonomy import Axis
from labelling.services.agreement import Question

_DAY = {"type": "date"}


class AgreementFilter(Filter):
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, empty_label="every campaign", to_field_name="slug"
    )
    axis = forms.ChoiceField(required=False, choices=Axis.choices)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs=_DAY, format="%Y-%m-%d"))

    def question(self) -> Question:
        given = self.cleaned_data
        return Question(
            axis=given["axis"] or Axis.FEATURE.value,
            campaign=given["campaign"],
            since=given["since"],
            until=given["until"],
        )

    def query(self) -> str:
        """The same question, for the URL of another page; empty, or it starts a list that more can follow."""
        asked = {name: self.data[name] for name in AgreementFilter.base_fields if self.data.get(name)}
        return urlencode(asked)


class RowFilter(AgreementFilter):
    """Which of the rows."""

    reviewer = forms.ModelChoiceField(User.objects.all(), required=False, to_field_name="username")
    other = forms.ModelChoiceField(User.objects.all(), required=False, to_field_name="username")
    said = forms.ChoiceField(required=False)
    heard = forms.ChoiceField(required=False)
    names = forms.ChoiceField(required=False)
    verdict = forms.ChoiceField(required=False, choices=[("", ""), *Decision.Verdict.choices])
    apart = forms.BooleanField(required=False)
    drawn = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        codes = [*MineType.objects.values_list("code", "name"), *((answer, answer) for answer in ANSWERS)]
        for name in ("said", "heard", "names"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", ""), *codes]
