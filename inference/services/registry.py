"""The models that there are: weights by content, a source for their claims, and which of them serves."""

from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from inference.core.errors import ModelMissing, ModelRefused
from inference.core.model_version import ModelSpec, free_name
from inference.models import ModelVersion
from labelling.core.blobs import blob_path, sha256_of, store_blob
from labelling.models import MineType, Region, Source


def register_model(
    *,
    name: str,
    weights: Path,
    spec: ModelSpec,
    recipe_hash: str = "",
    regions: Sequence[Region] = (),
    synthetic: bool = False,
) -> ModelVersion:
    """Keep a model's weights and write its row, as a candidate.

    Args:
        name: such as ``baseline``; it becomes a slug with a number of its own, see ``free_name``.
        weights: the file; it is copied among the blobs under its SHA-256.
        spec: all that is needed to use the weights rightly.
        recipe_hash: of the recipe that it was trained by.
        regions: where the model may be used; none for everywhere.
        synthetic: it learned from generated imagery only.

    Raises:
        ModelRefused: a type that the taxonomy does not have on this axis, or no weights.
    """
    known = set(MineType.objects.filter(axis=spec.axis).values_list("code", flat=True))
    strange = [code for code in spec.types if code not in known]
    if strange:
        msg = f"no type {', '.join(strange)} on the axis {spec.axis} of the taxonomy"
        raise ModelRefused(msg)
    if not weights.is_file() or not weights.stat().st_size:
        msg = f"no weights at {weights.name}"
        raise ModelRefused(msg)
    sha256 = store_blob(settings.BLOB_ROOT, weights)
    with transaction.atomic():
        taken = set(Source.objects.values_list("name", flat=True)) | set(
            ModelVersion.objects.values_list("name", flat=True)
        )
        source = Source.objects.create(
            name=free_name(slugify(name) or "model", taken),
            kind=Source.Kind.MODEL,
            licence=spec.licence,
            synthetic=synthetic,
        )
        model = ModelVersion.objects.create(
            name=source.name,
            source=source,
            engine=spec.engine,
            task=spec.task,
            architecture=spec.architecture,
            weights_sha256=sha256,
            axis=spec.axis,
            types=list(spec.types),
            bands=list(spec.preparation.bands),
            preparation=spec.preparation.to_json(),
            recipe_hash=recipe_hash,
            licence=spec.licence,
        )
        model.regions.set(regions)
    return model


def model_named(name: str) -> ModelVersion:
    """Find a model version.

    Raises:
        ModelMissing: none has this name.
    """
    model = ModelVersion.objects.filter(name=name).first()
    if model is None:
        known = ", ".join(ModelVersion.objects.values_list("name", flat=True)[:5])
        msg = f"no model is called {name}; " + (f"there are {known}" if known else "train one first")
        raise ModelMissing(msg)
    return model


def weights_of(model: ModelVersion) -> Path:
    """Find a model's weights and make sure that they are what its row says.

    Raises:
        ModelMissing: the file is gone, or its content is not what was registered.
    """
    path = blob_path(settings.BLOB_ROOT, model.weights_sha256)
    if not path.is_file():
        msg = f"the weights of {model.name} are gone: restore {path.name[:12]}… among the blobs from a backup"
        raise ModelMissing(msg)
    if sha256_of(path) != model.weights_sha256:
        msg = f"the weights of {model.name} are not those that were registered: restore them from a backup"
        raise ModelMissing(msg)
    return path
