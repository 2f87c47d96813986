from typing import Any

from django import forms

from labelling.models.taxonomy import Axis
from training.core.errors import BadRecipe
from training.core.type_study import FAMILIES, MAX_LIMIT, TRUTHS, StudySettings

_DEFAULT = StudySettings()


class StudyForm(forms.Form):
    """What a study learns from and what it looks at."""

    axis = forms.ChoiceField(choices=Axis.choices, initial=_DEFAULT.axis, help_text="Of the types.")
    truth = forms.ChoiceField(
        label="Learn from", choices=list(TRUTHS.items()), initial=_DEFAULT.truth, widget=forms.RadioSelect
    )
    families = forms.MultipleChoiceField(
        label="Look at",
        choices=[(name, f"{name}: {what}") for name, what in FAMILIES.items()],
        initial=list(_DEFAULT.families),
        widget=forms.CheckboxSelectMultiple,
    )
    architecture = forms.CharField(
        required=False, max_length=80, help_text="A network of timm such as resnet50, for embedding."
    )
    weights = forms.CharField(
        required=False, max_length=120, help_text="Name of its file in the folder of weights, for embedding."
    )
    limit = forms.IntegerField(
        label="Open sites",
        min_value=0,
        max_value=MAX_LIMIT,
        initial=_DEFAULT.limit,
        help_text="So many at most, those of the highest priority; 0 only judges.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                StudySettings.from_json(cleaned)
            except BadRecipe as error:
                self.add_error(None, str(error))
        return cleaned

    def settings(self) -> StudySettings:
        """The settings, of a form that is valid."""
        return StudySettings.from_json(self.cleaned_data)
