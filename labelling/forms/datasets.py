from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from labelling.core.errors import BadInput
from labelling.core.export import FORMATS, STATES, VERIFIED, ExportSettings
from labelling.models import Campaign, MineType, Region, Snapshot
from labelling.models.taxonomy import Axis
from labelling.services.snapshots import enqueue_snapshot

NAMES = {
    "yolo": "YOLO: chips and text files",
    "coco": "COCO: chips and one JSON",
    "geojson": "GeoJSON: a layer for QGIS",
}
START = ExportSettings("yolo")


class DatasetForm(forms.Form):
    format = forms.ChoiceField(choices=[(name, NAMES[name]) for name in FORMATS])
    name = forms.CharField(
        required=False, max_length=119, help_text="Small letters, digits, dot, dash; made up if empty."
    )
    axis = forms.ChoiceField(choices=Axis.choices, help_text="Its types are the classes.")
    types = forms.MultipleChoiceField(
        required=False, widget=forms.SelectMultiple(attrs={"size": 6}), help_text="None chosen: all of the axis."
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.all(), required=False, to_field_name="slug", empty_label="all campaigns"
    )
    region = forms.ModelChoiceField(
        Region.objects.filter(sites__label__isnull=False).distinct().defer("geom"),
        required=False,
        to_field_name="eco_id",
        empty_label="everywhere",
    )
    states = forms.MultipleChoiceField(
        choices=[(state, state) for state in STATES],
        initial=[VERIFIED],
        widget=forms.CheckboxSelectMultiple,
        help_text="Others than verified go into GeoJSON only; each feature says what it is.",
    )
    chip_px = forms.IntegerField(
        label="Chip", min_value=32, max_value=4096, initial=START.chip_px, help_text="Side in pixels."
    )
    pixel_m = forms.FloatField(label="Pixel", min_value=0.5, max_value=500, initial=START.pixel_m, help_text="Metres.")
    bands = forms.CharField(max_length=200, initial=",".join(START.bands), help_text="Red first, such as B04,B03,B02.")
    outlines = forms.BooleanField(required=False, label="YOLO outlines instead of boxes")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = list(MineType.objects.order_by("rank", "code").values_list("axis", "code", "name"))
        types = self.fields["types"]
        assert isinstance(types, forms.MultipleChoiceField)
        types.choices = [
            (axis, [(code, name) for its_axis, code, name in known if its_axis == axis]) for axis in Axis.values
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            try:
                given["settings"] = self._settings(given)
            except BadInput as error:
                raise ValidationError(str(error)) from error
        return given

    @staticmethod
    def _settings(given: dict[str, Any]) -> ExportSettings:
        same = ("format", "axis", "chip_px", "pixel_m", "outlines")
        return ExportSettings(
            **{name: given[name] for name in same},
            states=tuple(given["states"]),
            types=tuple(given["types"]),
            campaign=given["campaign"].slug if given["campaign"] else "",
            regions=(given["region"].eco_id,) if given["region"] else (),
            bands=tuple(band.strip() for band in given["bands"].split(",")),
        )

    def start(self, user: User) -> Snapshot | None:
        """Ask for the export; None, with an error in the form, where the name cannot be had."""
        try:
            return enqueue_snapshot(settings=self.cleaned_data["settings"], name=self.cleaned_data["name"], user=user)
        except BadInput as error:
            self.add_error("name", str(error))
            return None
