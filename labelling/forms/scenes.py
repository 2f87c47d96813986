from typing import Any

from django import forms
from django.db.models import QuerySet

from labelling.models import Scene


class SceneFilter(forms.Form):
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

    def scenes(self) -> "QuerySet[Any]":
        """The scenes that the form asks for; none where it asks for nonsense."""
        if not self.is_valid():
            return Scene.objects.none()
        wanted = self.cleaned_data
        scenes = Scene.objects.all()
        if wanted["q"]:
            scenes = scenes.filter(name__icontains=wanted["q"])
        if wanted["kind"]:
            scenes = scenes.filter(kind=wanted["kind"])
        if wanted["band"]:
            scenes = scenes.with_band(wanted["band"])
        if wanted["region"]:
            scenes = scenes.in_region(wanted["region"])
        return scenes
