"""Bringing a file, and what is kept of its source."""

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from labelling.core.errors import BadInput
from labelling.core.seed_mapping import SeedMapping
from labelling.models import Source
from labelling.services.seeds.importing import vocabulary

MAX_JSON = 200_000


class UploadForm(forms.Form):
    file = forms.FileField(
        required=False,
        help_text="GeoJSON, GeoPackage, zipped Shapefile, FlatGeobuf, GeoParquet, CSV or XLSX.",
        widget=forms.ClearableFileInput(
            attrs={"accept": ".geojson,.json,.gpkg,.zip,.fgb,.parquet,.csv,.tsv,.txt,.xlsx"}
        ),
    )


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own is not generic
    mapping = forms.CharField(
        required=False,
        max_length=MAX_JSON,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "mono"}),
        help_text="How the next file of this source is read. docs/howto/add-a-seed-format.md has the keys.",
    )

    class Meta:
        model = Source
        fields = ("licence", "citation")
        widgets = {"citation": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, data: Any = None, *, instance: Source) -> None:
        super().__init__(data, instance=instance, label_suffix="")
        self.initial["mapping"] = json.dumps(instance.mapping, indent=2, ensure_ascii=False)

    def clean_mapping(self) -> dict[str, Any]:
        try:
            mapping = json.loads(self.cleaned_data["mapping"] or "{}")
            if not isinstance(mapping, dict):
                msg = "the mapping must be a JSON object"
                raise ValidationError(msg)
            plain = {key: value for key, value in mapping.items() if key != "type"}
            SeedMapping.from_json(plain.get("shipped", plain), vocabulary())
        except (ValueError, RecursionError) as error:
            msg = f"not JSON: {error}"
            raise ValidationError(msg) from error
        except BadInput as error:
            raise ValidationError(error.reason) from error
        return mapping

    def save(self, commit: bool = True) -> Any:
        self.instance.mapping = self.cleaned_data["mapping"]
        return super().save(commit)
