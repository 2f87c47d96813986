"""Build the chips and labels of a recipe, once."""

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from labelling.core.blobs import sha256_of
from labelling.services.jobs import JobHandle
from training.core.dataset_files import MANIFEST, write_heading, write_manifest
from training.core.errors import NoRoom
from training.core.recipe import Recipe
from training.models import Dataset, DatasetSite
from training.services.chips import ChipCutter
from training.services.material import Material, gather_material

logger = logging.getLogger(__name__)

KEEP_FREE = 0.1
_NEW = ".new-"
_FORGOTTEN_S = 24 * 3600


def build_dataset(*, recipe: Recipe, handle: JobHandle | None = None) -> Dataset:
    """Write the dataset of a recipe, or find the one that the same recipe and the same labels gave before.

    A chip shows only ground that lies in a reviewed area, on its own side of the split, and outside every test
    block and its buffer; all other ground is black on it. What was written is looked at again before it counts.

    Args:
        recipe: what to build.
        handle: the job to keep alive meanwhile.

    Returns:
        Its row; the folder is whole.

    Raises:
        BadRecipe: the recipe names something that does not exist.
        TooFewLabels: there is nothing to build it from; says what to do.
        Leak: a chip shows ground that is kept out; nothing was kept.
        NoRoom: the disk is too full.
        JobCancelled: somebody asked to stop; nothing was kept.
    """
    material = gather_material(recipe=recipe)
    known = Dataset.objects.filter(recipe_hash=recipe.hash, labels_hash=material.hash).first()
    if known is not None and is_whole(known):
        return known
    check_room(dataset_bytes(recipe, len(material.anchors) * recipe.chips_per_label))
    with _new_folder() as folder:
        cutter = ChipCutter(recipe, material, folder, handle)
        counts = cutter.cut()
        heading = write_heading(folder, recipe=recipe, types=material.types)
        sha256 = write_manifest(folder, heading=heading, rows=cutter.rows)
        _publish(folder, settings.DATASET_ROOT / sha256)
    return _keep_row(recipe, material, sha256, counts, cutter.sites)


def is_whole(dataset: Dataset) -> bool:
    """Say whether the folder of a dataset is there, with the manifest that its row names."""
    return _holds(dataset.folder, dataset.sha256)


def _holds(folder: Path, sha256: str) -> bool:
    manifest = folder / MANIFEST
    return manifest.is_file() and sha256_of(manifest) == sha256


def check_room(needed: int) -> None:
    """Make sure that the disk takes so many bytes and keeps a tenth of itself free.

    Raises:
        NoRoom: it does not.
    """
    disk = shutil.disk_usage(settings.DATASET_ROOT)
    if disk.free - needed < KEEP_FREE * disk.total:
        msg = (
            f"{needed / 1e6:.0f} MB are needed and {disk.free / 1e6:.0f} MB are free, of which a tenth of the disk "
            f"({disk.total * KEEP_FREE / 1e6:.0f} MB) stays free: remove old datasets below {settings.DATASET_ROOT}"
        )
        raise NoRoom(msg)


def dataset_bytes(recipe: Recipe, chips: int) -> int:
    """Most bytes that so many chips take on disk, backgrounds included."""
    return int(chips / (1 - recipe.backgrounds) * (recipe.chip_px**2 * len(recipe.bands) + 8192))


@contextmanager
def _new_folder() -> Iterator[Path]:
    for left in settings.DATASET_ROOT.glob(f"{_NEW}*"):  # by a worker that was killed
        if time.time() - left.stat().st_mtime > _FORGOTTEN_S:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=settings.DATASET_ROOT, prefix=_NEW))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _publish(folder: Path, target: Path) -> None:
    """Flush the files, then rename the folder into place; the same content that is there already stays."""
    for path in folder.rglob("*"):
        _flush(path)
    _flush(folder)
    if target.exists() and not _holds(target, target.name):
        shutil.rmtree(target)
    if not target.exists():
        folder.rename(target)
        _flush(target.parent)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _keep_row(
    recipe: Recipe, material: Material, sha256: str, counts: dict[str, object], sites: dict[int, str]
) -> Dataset:
    values = {"recipe": recipe.to_json(), "testset": material.testset, "path": sha256, "sha256": sha256}
    values["counts"] = counts
    key = {"recipe_hash": recipe.hash, "labels_hash": material.hash}
    try:
        with transaction.atomic():
            dataset, made = Dataset.objects.get_or_create(**key, defaults=values)
            if not made and dataset.sha256 != sha256 and not is_whole(dataset):
                # Files that are lost come back otherwise where a library writes otherwise: the row names these.
                logger.warning("dataset %s was %s and is built again as %s", dataset.pk, dataset.sha256, sha256)
                Dataset.objects.filter(pk=dataset.pk).update(**values)
                dataset.refresh_from_db()
                dataset.dataset_sites.all().delete()
                made = True
            if made:
                DatasetSite.objects.bulk_create(
                    DatasetSite(dataset=dataset, site_id=site, split=side) for site, side in sorted(sites.items())
                )
            return dataset
    except IntegrityError:  # another worker was first with the same
        return Dataset.objects.get(**key)
