"""The files of a dataset as ultralytics reads them, with their place on the ground beside them.

``images/<split>/<chip>.png`` (or ``.tiff``: one grey page a band), ``labels/<split>/<chip>.txt``, ``data.yaml``,
``recipe.json``, and ``manifest.jsonl``, which names every file with its SHA-256 and every chip with its CRS and
affine transform. The hash of the manifest is the hash of the dataset.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from PIL import Image, ImageSequence
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from labelling.core.blobs import sha256_of
from labelling.core.chips import RGB, ChipGrid, chip_suffix, geometry_in_chip, write_chip
from training.core.blocks import leaks
from training.core.chips import Chip, areal
from training.core.errors import Leak
from training.core.recipe import Recipe

MANIFEST = "manifest.jsonl"
Row = dict[str, Any]


def chip_name(scene_version: str, grid: ChipGrid) -> str:
    """Name a chip by the imagery and the place that it shows, the same on every machine.

    Args:
        scene_version: of the scene; where others fill it, all versions with a plus between.
        grid: where the chip lies.
    """
    place = json.dumps([scene_version, grid.crs, list(grid.transform)[:6], grid.width, grid.height])
    return hashlib.sha256(place.encode()).hexdigest()[:20]


def write_example(folder: Path, *, name: str, split: str, chip: Chip, grid: ChipGrid, scene: Row) -> Row:
    """Write a chip and its labels.

    Args:
        folder: of the dataset.
        name: of the chip, unique in the dataset.
        split: ``train`` or ``val``.
        chip: what to write.
        grid: where it lies.
        scene: names the scene in the manifest, and as ``filled_by`` those that go on where it ends.

    Returns:
        Its row of the manifest.
    """
    image = folder / "images" / split / f"{name}{chip_suffix(chip.image.shape[2])}"
    labels = folder / "labels" / split / f"{name}.txt"
    for file in (image, labels):
        file.parent.mkdir(parents=True, exist_ok=True)
    write_chip(chip.image, image)
    labels.write_text("".join(f"{line}\n" for line in chip.lines), encoding="ascii")
    return {
        "chip": name,
        "split": split,
        "scene": scene,
        "crs": grid.crs,
        "transform": list(grid.transform)[:6],
        "width": grid.width,
        "height": grid.height,
        "sites": list(chip.sites),
        "types": list(chip.types),
        "shown": chip.shown,
        "files": {str(file.relative_to(folder)): sha256_of(file) for file in (image, labels)},
    }


def write_heading(folder: Path, *, recipe: Recipe, types: Sequence[str]) -> Row:
    """Write ``data.yaml`` and ``recipe.json``.

    No path stands in ``data.yaml``: ultralytics then looks beside it, so that the folder may be moved.

    Returns:
        Their row of the manifest.
    """
    names = "".join(f"  {index}: {code}\n" for index, code in enumerate(types))
    channels = "" if len(recipe.bands) == RGB else f"channels: {len(recipe.bands)}\n"
    data = folder / "data.yaml"
    data.write_text(f"train: images/train\nval: images/val\n{channels}names:\n{names}", encoding="ascii")
    told = folder / "recipe.json"
    told.write_text(json.dumps(recipe.to_json(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return {
        "recipe": recipe.hash,
        "types": list(types),
        "bands": list(recipe.bands),
        "files": {file.name: sha256_of(file) for file in (data, told)},
    }


def write_manifest(folder: Path, *, heading: Row, rows: Iterable[Row]) -> str:
    """Write the manifest: the heading, then the chips by name.

    Returns:
        Its SHA-256.
    """
    lines = [heading, *sorted(rows, key=lambda row: str(row["chip"]))]
    path = folder / MANIFEST
    path.write_text("".join(json.dumps(line, sort_keys=True) + "\n" for line in lines), encoding="utf-8")
    return sha256_of(path)


def read_manifest(folder: Path) -> tuple[Row, list[Row]]:
    """Read a manifest: its heading and its chips."""
    heading, *rows = (json.loads(line) for line in (folder / MANIFEST).read_text(encoding="utf-8").splitlines())
    return heading, rows


def scenes_of(row: Row) -> list[int]:
    """The numbers of the scenes that a chip of the manifest shows."""
    return [row["scene"]["id"], *(one["id"] for one in row["scene"].get("filled_by", ()))]


def grid_of(row: Row) -> ChipGrid:
    """Where a chip of the manifest lies."""
    return ChipGrid(row["crs"], Affine(*row["transform"]), row["width"], row["height"])


def image_of(folder: Path, row: Row) -> Path:
    """The image of a chip of the manifest."""
    return next(folder / str(name) for name in row["files"] if name.startswith("images/"))


def read_chip(path: Path) -> NDArray[np.uint8]:
    """Read a chip as it was written, uint8 of shape (H, W, C)."""
    with Image.open(path) as file:
        pages = [np.asarray(page, np.uint8) for page in ImageSequence.Iterator(file)]
    return pages[0] if pages[0].ndim == 3 else np.stack(pages, axis=2)


def refuse_leaks(folder: Path, rows: Sequence[Row], forbidden: Sequence[BaseGeometry]) -> int:
    """Look at the written images: none may show a pixel of forbidden ground.

    Args:
        folder: of the dataset.
        rows: chips of its manifest.
        forbidden: ground that may not be seen, EPSG:4326, such as the test blocks with their buffers.

    Returns:
        How many chips lay near enough to be looked at.

    Raises:
        Leak: an image shows forbidden ground; names the chip.
    """
    near = leaks(forbidden, [grid_of(row).footprint() for row in rows])
    for row in (rows[index] for index in near):
        grid = grid_of(row)
        around = shapely.box(*grid.footprint().bounds)
        parts = [areal(geometry_in_chip(piece, grid)) for piece in forbidden if piece.intersects(around)]
        seen = read_chip(image_of(folder, row)).any(axis=2) & _centres_in(parts, grid)
        if seen.any():
            msg = f"chip {row['chip']} ({row['split']}) shows {int(seen.sum())} pixels of ground that is kept out"
            raise Leak(msg)
    return len(near)


def _centres_in(parts: Sequence[BaseGeometry], grid: ChipGrid) -> NDArray[np.bool_]:
    shapes = [part for part in parts if not part.is_empty]
    if not shapes:
        return np.zeros((grid.height, grid.width), np.bool_)
    return np.asarray(rasterize(shapes, out_shape=(grid.height, grid.width)), np.bool_)
