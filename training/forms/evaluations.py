from typing import Any

from django import forms

from inference.models import ModelVersion
from training.models import TestSet
from training.services.evaluation import MIN_SCORE, THRESHOLD


class EvaluationForm(forms.Form):
    model = forms.ModelChoiceField(ModelVersion.objects.none(), widget=forms.HiddenInput)
    threshold = forms.FloatField(min_value=MIN_SCORE, max_value=0.99, initial=THRESHOLD, required=False)

    def __init__(self, *args: Any, testset: TestSet, **options: Any) -> None:
        super().__init__(*args, **options)
        models = self.fields["model"]
        assert isinstance(models, forms.ModelChoiceField)
        models.queryset = ModelVersion.objects.filter(axis=testset.axis)

    def clean_threshold(self) -> float:
        return float(self.cleaned_data["threshold"] or THRESHOLD)
