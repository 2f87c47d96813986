import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.gis.geos import MultiPolygon
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from inference.core.errors import InferenceError
from inference.core.sweep import SweepSettings
from inference.models import DetectionRun, ModelVersion
from inference.services.runs import create_run
from inference.services.selection import read_aoi, select_scenes
from labelling.core.errors import BadInput

MAX_AOI_BYTES = 20_000_000


class RunForm(forms.Form):
    model = forms.ModelChoiceField(
        ModelVersion.objects.exclude(engine="fake").exclude(status=ModelVersion.Status.RETIRED),
        required=False,
        empty_label="the models that serve, by dispatch",
    )
    scenes = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "all scenes"}),
        help_text="One name, number, file or folder a line; empty for every scene.",
    )
    aoi = forms.FileField(
        label="Area of interest",
        required=False,
        help_text="GeoJSON, GeoPackage or zipped Shapefile with polygons; only what touches it is proposed.",
    )
    min_score = forms.FloatField(
        label="Least score",
        min_value=0.01,
        max_value=1,
        initial=SweepSettings.min_score,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
        help_text="Lower finds more mines and more that are none.",
    )
    name = forms.CharField(required=False, max_length=120, help_text="Made up where empty.")

    def has_models(self) -> bool:
        """There is a model to choose."""
        return bool(self.fields["model"].queryset.exists())  # type: ignore[attr-defined]

    def clean_aoi(self) -> MultiPolygon | None:
        upload = self.cleaned_data["aoi"]
        if not upload:
            return None
        if upload.size > MAX_AOI_BYTES:
            raise ValidationError(f"{upload.size / 1e6:.0f} MB; an area has at most {MAX_AOI_BYTES / 1e6:.0f} MB.")
        try:
            return _read_upload(upload)
        except (BadInput, InferenceError) as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            wanted = [line.strip() for line in cleaned["scenes"].splitlines() if line.strip()]
            try:
                cleaned["scenes"] = select_scenes(wanted=wanted, aoi=cleaned["aoi"])
            except InferenceError as error:
                self.add_error("scenes", str(error))
        return cleaned

    def start(self, user: User) -> DetectionRun | None:
        """Write the run; None where it cannot be, with the reason among the form's errors."""
        wanted = self.cleaned_data
        settings = SweepSettings(min_score=wanted["min_score"])
        try:
            return create_run(
                user=user,
                scenes=wanted["scenes"],
                model=wanted["model"],
                aoi=wanted["aoi"],
                settings=settings,
                name=wanted["name"],
            )
        except InferenceError as error:
            self.add_error(None, str(error))
            return None


def _read_upload(upload: "UploadedFile[Any]") -> MultiPolygon:
    """Read an upload under a name of ours: what the browser calls it never reaches the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "area"
        with path.open("wb") as file:
            for piece in upload.chunks():
                file.write(piece)
        return read_aoi(path)
