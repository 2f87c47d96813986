from typing import Any

from django import forms
from django.db.models import QuerySet

from labelling.forms.filters import Filter
from labelling.models import Scene

_ORDERS = [("", "name"), ("clear", "clearest first")]
_LEVELS = [("", "any"), ("L1C", "L1C"), ("L2A", "L2A"), ("unknown", "not said")]


class SceneFilter(Filter):
    q = forms.CharField(label="Name", required=False, max_length=100)
    kind = forms.ChoiceField(required=False, choices=[("", "any"), *Scene.Kind.choices])
    band = forms.RegexField(
        r"^[A-Za-z][A-Za-z0-9_.-]{0,19}$",
        required=False,
        error_messages={"invalid": "A band has a name such as B08."},
        widget=forms.TextInput(attrs={"placeholder": "B08"}),
    )
    region = forms.CharField(
        label="Region, biome or realm", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    level = forms.ChoiceField(required=False, choices=_LEVELS)
    cloud = forms.FloatField(label="Cloud, % at most", required=False, min_value=0, max_value=100)
    valid = forms.FloatField(label="Data, % at least", required=False, min_value=0, max_value=100)
    order = forms.ChoiceField(label="Sorted by", required=False, choices=_ORDERS)

    def scenes(self) -> "QuerySet[Any]":
        """The scenes that the form asks for; none where it asks for nonsense."""
        if not self.is_valid():
            return Scene.objects.none()
        wanted = self.cleaned_data
        scenes = Scene.objects.defer("clearness")
        if wanted["q"]:
            scenes = scenes.filter(name__icontains=wanted["q"])
        if wanted["kind"]:
            scenes = scenes.filter(kind=wanted["kind"])
        if wanted["band"]:
            scenes = scenes.with_band(wanted["band"])
        if wanted["region"]:
            scenes = scenes.in_region(wanted["region"])
        if wanted["level"]:
            scenes = scenes.filter(level=wanted["level"].replace("unknown", ""))
        return self._by_quality(scenes)

    def _by_quality(self, scenes: "QuerySet[Any]") -> "QuerySet[Any]":
        wanted = self.cleaned_data
        if wanted["cloud"] is not None:
            scenes = scenes.with_cloud_up_to(wanted["cloud"] / 100)  # type: ignore[attr-defined]
        if wanted["valid"] is not None:
            scenes = scenes.with_data_from(wanted["valid"] / 100)  # type: ignore[attr-defined]
        return scenes.clearest_first() if wanted["order"] else scenes  # type: ignore[attr-defined]
