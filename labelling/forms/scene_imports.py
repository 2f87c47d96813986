from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from labelling.core.errors import BadInput
from labelling.core.hosts import RemoteFault, policy
from labelling.core.intake import ImportOrder
from labelling.core.remote import is_remote
from labelling.core.scene_mapping import SceneMapping
from labelling.core.stac_search import StacSearch
from labelling.forms.filters import Filter
from labelling.models import ImportItem, Scene, SceneImport
from labelling.services.scenes import order_import

MOST_SOURCES = 200


class SceneImportForm(forms.Form):
    places = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "/data/imagery\ns3://bucket/2022/", "class": "mono"}),
        help_text=(
            "One a line: files, folders, SAFE folders, patterns such as /data/*.tif, https://... and "
            "s3://bucket/prefix. Paths are the server's."
        ),
    )
    stac = forms.CharField(
        label="STAC catalogue",
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": "https://stac.example.org/v1"}),
        help_text="An API, or a catalog.json here or elsewhere; searched by what follows.",
    )
    collections = forms.CharField(
        required=False, max_length=500, help_text="Their ids, with commas, such as sentinel-2-l2a; empty: all."
    )
    area = forms.CharField(
        required=False, max_length=100, help_text="West, south, east, north in degrees, with commas; empty: everywhere."
    )
    since = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    max_cloud = forms.FloatField(
        label="Most cloud", required=False, min_value=0, max_value=100, help_text="Per cent, as the catalogue says it."
    )
    most = forms.IntegerField(label="Most items", min_value=1, max_value=1_000_000, initial=100_000)
    kind = forms.ChoiceField(choices=Scene.Kind.choices)
    bands = forms.CharField(
        required=False, max_length=300, help_text="Names in the order of the files, where they do not say them."
    )
    scale = forms.FloatField(
        required=False, help_text="Reflectance = number × scale + offset; empty: as the files say."
    )
    offset = forms.FloatField(required=False)
    convert = forms.BooleanField(
        required=False, label="Copy here as cloud-optimised GeoTIFF", help_text="Else they are read where they lie."
    )

    def clean_area(self) -> Any:
        try:
            return StacSearch.box_of(self.cleaned_data["area"])
        except BadInput as error:
            raise ValidationError(error.reason) from error

    def clean_bands(self) -> Any:
        bands = self.cleaned_data["bands"]
        try:
            return SceneMapping.from_json({"bands": bands or None}, file="bands").bands
        except BadInput as error:
            raise ValidationError(error.reason) from error

    def clean_places(self) -> list[str]:
        places = [line.strip() for line in self.cleaned_data["places"].splitlines() if line.strip()]
        if len(places) > MOST_SOURCES:
            msg = f"At most {MOST_SOURCES} lines: name folders instead of files."
            raise ValidationError(msg)
        for place in places:
            if not is_remote(place) and not place.startswith("/"):
                msg = f"{place[:80]} is neither an absolute path nor an address."
                raise ValidationError(msg)
        return places

    def clean_stac(self) -> str:
        url: str = self.cleaned_data["stac"].strip()
        if url and not url.startswith("/"):
            try:
                policy().check(url)
            except RemoteFault as fault:
                raise ValidationError(str(fault)) from fault
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not cleaned["places"] and not cleaned["stac"]:
            msg = "Name places, or a catalogue."
            raise ValidationError(msg)
        return cleaned

    def start(self, user: User) -> SceneImport:
        wanted = self.cleaned_data
        sources: list[Any] = list(wanted["places"])
        if wanted["stac"]:
            search = StacSearch(
                url=wanted["stac"],
                collections=tuple(part.strip() for part in wanted["collections"].split(",") if part.strip()),
                bbox=wanted["area"],
                since=wanted["since"] and datetime.combine(wanted["since"], time.min, UTC),
                until=wanted["until"] and datetime.combine(wanted["until"], time(23, 59, 59), UTC),
                max_cloud=wanted["max_cloud"],
                most=wanted["most"],
            )
            sources.append({"stac": search.to_json()})
        mapping = SceneMapping(bands=wanted["bands"], scale=wanted["scale"], offset=wanted["offset"])
        order = ImportOrder(kind=wanted["kind"], mapping=mapping, convert=wanted["convert"])
        return order_import(sources=sources, order=order, user=user)


class ItemFilter(Filter):
    state = forms.ChoiceField(required=False, choices=[("", "any"), *ImportItem.State.choices])

    def items(self, scene_import: SceneImport) -> Any:
        """The items that the form asks for, those that were refused first; none where it asks for nonsense."""
        if not self.is_valid():
            return ImportItem.objects.none()
        items = scene_import.items.select_related("scene")
        state = self.cleaned_data["state"]
        return items.filter(state=state).order_by("pk") if state else items.order_by("-state", "pk")
