"""The files of an export: written, named with their hashes, and read back to see that nothing is missing."""

import hashlib
import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import shapely
from affine import Affine
from shapely.geometry.base import BaseGeometry

from labelling.core.blobs import sha256_of
from labelling.core.chips import RGB, ChipGrid, chip_suffix, geometry_in_chip, write_chip, yolo_line
from labelling.core.errors import LabellingError
from labelling.core.export import ExportLabel, ExportSettings, Licence, to_feature
from labelling.core.export_chips import Example

MANIFEST = "manifest.json"
GEOREFERENCE = "georeference.jsonl"
GEOJSON = "labels.geojson"
COCO = "annotations.json"
Row = dict[str, Any]


class ExportBroken(LabellingError):
    """What was written is not what was asked for; nothing of it is published."""


class ChipFolder:
    """Chips and their labels as YOLO or COCO, written one by one; use as a context."""

    def __init__(self, folder: Path, *, settings: ExportSettings, classes: Sequence[str]) -> None:
        """Begin a folder.

        Args:
            folder: exists and is empty.
            settings: the format, the axis and the stretch.
            classes: type codes in the order of the classes.
        """
        self.folder, self.settings, self.classes = folder, settings, tuple(classes)
        self.counts: Counter[str] = Counter()
        self.sites: set[int] = set()
        self.names: set[str] = set()
        self._images: list[Row] = []
        self._annotations: list[Row] = []
        (folder / "images").mkdir()
        if settings.format == "yolo":
            (folder / "labels").mkdir()
        self._places: TextIO = (folder / GEOREFERENCE).open("w", encoding="utf-8")

    def __enter__(self) -> "ChipFolder":
        """Nothing to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file of places."""
        self._places.close()

    def add(self, *, name: str, example: Example, grid: ChipGrid, scene: Row) -> None:
        """Write a chip and what is on it.

        Args:
            name: of the chip, unique.
            example: what to write.
            grid: where it lies.
            scene: names the scene beside the chip's place.
        """
        if name in self.names:
            msg = f"two chips are named {name}"
            raise ExportBroken(msg)
        image = self.folder / "images" / f"{name}{chip_suffix(example.image.shape[2])}"
        write_chip(example.image, image)
        if self.settings.format == "yolo":
            lines = "".join(f"{self._yolo(label, part, grid)}\n" for label, part in example.placed)
            (self.folder / "labels" / f"{name}.txt").write_text(lines, encoding="ascii")
        else:
            self._coco(image.name, example, grid)
        low, high = self.settings.stretch
        place = {
            "chip": name,
            "file": f"images/{image.name}",
            "crs": grid.crs,
            "transform": list(grid.transform)[:6],
            "width": grid.width,
            "height": grid.height,
            "scene": scene,
            "bands": list(self.settings.bands),
            "stretch": {"low": list(low), "high": list(high)},
            "shown": example.shown,
            "labels": [{"site": label.site, **label.provenance} for label, _ in example.placed],
        }
        self._places.write(json.dumps(place, sort_keys=True) + "\n")
        self.counts["chips"] += 1
        self.counts["empty_chips"] += not example.placed
        self.counts["boxes"] += len(example.placed)
        self.names.add(name)
        self.sites |= {label.site for label, _ in example.placed}

    def finish(self, *, licences: Sequence[Row]) -> None:
        """Write what stands beside the chips: ``data.yaml`` of YOLO, ``annotations.json`` of COCO."""
        self._places.flush()
        if self.settings.format == "yolo":
            _write_data_yaml(self.folder, self.settings, self.classes)
            return
        terms = sorted({row["licence"] or "not stated" for row in licences})
        categories = [
            {"id": number, "name": code, "supercategory": self.settings.axis}
            for number, code in enumerate(self.classes, start=1)
        ]
        content = {
            "info": {"description": "mines labelled with MAD Web", "bands": list(self.settings.bands)},
            "licenses": [{"id": number, "name": name, "url": ""} for number, name in enumerate(terms, start=1)],
            "categories": categories,
            "images": self._images,
            "annotations": self._annotations,
        }
        (self.folder / COCO).write_text(json.dumps(content, sort_keys=True) + "\n", encoding="utf-8")

    def _yolo(self, label: ExportLabel, part: BaseGeometry, grid: ChipGrid) -> str:
        number = self.classes.index(label.types[self.settings.axis])
        return yolo_line(number, part, grid.width, self.settings.kind)

    def _coco(self, file_name: str, example: Example, grid: ChipGrid) -> None:
        image = len(self._images) + 1
        self._images.append({"id": image, "file_name": file_name, "width": grid.width, "height": grid.height})
        for label, part in example.placed:
            x0, y0, x1, y1 = part.bounds
            annotation = {
                "id": len(self._annotations) + 1,
                "image_id": image,
                "category_id": self.classes.index(label.types[self.settings.axis]) + 1,
                "bbox": _tidy([x0, y0, x1 - x0, y1 - y0]),
                "area": round(float(part.area), 3),
                "segmentation": [_tidy(ring) for ring in _rings(part)],
                "iscrowd": 0,
                "site": label.site,
                **label.provenance,
            }
            self._annotations.append(annotation)


def _rings(geometry: BaseGeometry) -> list[list[float]]:
    """Outer rings as COCO writes them: x, y, x, y, ...; it has no word for a hole."""
    polygons = shapely.get_parts(geometry)
    return [shapely.get_coordinates(shapely.get_exterior_ring(part))[:-1].ravel().tolist() for part in polygons]


def _tidy(numbers: Sequence[float]) -> list[float]:
    return [round(float(number), 3) for number in numbers]


def _write_data_yaml(folder: Path, settings: ExportSettings, classes: Sequence[str]) -> None:
    # No path stands in it: ultralytics then looks beside it, so that the folder may be moved.
    names = "".join(f"  {number}: {code}\n" for number, code in enumerate(classes))
    channels = "" if len(settings.bands) == RGB else f"channels: {len(settings.bands)}\n"
    told = "# no split is made: split by place (georeference.jsonl), never by chip\n"
    text = f"{told}train: images\nval: images\n{channels}names:\n{names}"
    (folder / "data.yaml").write_text(text, encoding="ascii")


def write_geojson(folder: Path, labels: Iterable[ExportLabel], licences: Mapping[str, Licence]) -> None:
    """Write one FeatureCollection, a feature a line."""
    with (folder / GEOJSON).open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [\n')
        for number, label in enumerate(labels):
            feature = json.dumps(to_feature(label, licences), ensure_ascii=False, allow_nan=False)
            file.write((",\n" if number else "") + feature)
        file.write("\n]}\n")


def check_export(
    folder: Path, *, settings: ExportSettings, labels: Mapping[int, ExportLabel], expected: Mapping[str, int]
) -> None:
    """Read an export back from its files and compare it with what was to be written.

    Args:
        folder: of the export.
        settings: what was asked for.
        labels: by site, the labels that must be in it, and no other.
        expected: counts of chips and boxes.

    Raises:
        ExportBroken: a label is missing or not where it should be, or a count differs.
    """
    if not settings.has_chips:
        content = json.loads((folder / GEOJSON).read_text(encoding="utf-8"))
        _same("labels", sorted(feature["id"] for feature in content["features"]), sorted(labels))
        return
    places = [json.loads(line) for line in (folder / GEOREFERENCE).read_text(encoding="utf-8").splitlines()]
    boxes = boxes_of_yolo(folder, places) if settings.format == "yolo" else boxes_of_coco(folder)
    _same("chips", len(places), expected["chips"])
    _same("boxes", sum(len(found) for found in boxes.values()), expected["boxes"])
    _same("labels", sorted({label["site"] for place in places for label in place["labels"]}), sorted(labels))
    for place in places:
        _check_boxes(place, boxes[place["file"]], labels, largest_only=settings.outlines)


def _check_boxes(
    place: Row, boxes: Sequence[Sequence[float]], labels: Mapping[int, ExportLabel], *, largest_only: bool
) -> None:
    grid = grid_of(place)
    for found, row in zip(boxes, place["labels"], strict=True):
        part = geometry_in_chip(labels[row["site"]].geometry, grid)
        wanted = max(shapely.get_parts(part), key=lambda piece: float(piece.area)) if largest_only else part
        if not np.allclose(found, wanted.bounds, atol=1.0):
            msg = f"the box of site {row['site']} on chip {place['chip']} is not where the label is"
            raise ExportBroken(msg)


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        msg = f"the files hold other {what} than were to be written: nothing was published, export again"
        raise ExportBroken(msg)


def grid_of(place: Row) -> ChipGrid:
    """The grid of a chip, from its line of ``georeference.jsonl``."""
    return ChipGrid(place["crs"], Affine(*place["transform"]), place["width"], place["height"])


def boxes_of_yolo(folder: Path, places: Sequence[Row]) -> dict[str, list[list[float]]]:
    """Read boxes back, in pixels (x0, y0, x1, y1), by the file of the chip."""
    boxes = {}
    for place in places:
        lines = (folder / "labels" / f"{place['chip']}.txt").read_text(encoding="ascii").splitlines()
        boxes[place["file"]] = [_box_of_line(line, place["width"]) for line in lines]
    return boxes


def _box_of_line(line: str, side: int) -> list[float]:
    numbers = np.array(line.split()[1:], np.float64) * side
    if len(numbers) == 4:
        x, y, width, height = numbers
        return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
    return [numbers[::2].min(), numbers[1::2].min(), numbers[::2].max(), numbers[1::2].max()]


def boxes_of_coco(folder: Path) -> dict[str, list[list[float]]]:
    """Read boxes back, in pixels (x0, y0, x1, y1), by the file of the chip."""
    content = json.loads((folder / COCO).read_text(encoding="utf-8"))
    names = {image["id"]: f"images/{image['file_name']}" for image in content["images"]}
    boxes: dict[str, list[list[float]]] = {name: [] for name in names.values()}
    for annotation in content["annotations"]:
        x, y, width, height = annotation["bbox"]
        boxes[names[annotation["image_id"]]].append([x, y, x + width, y + height])
    return boxes


def write_manifest(folder: Path, heading: Row) -> str:
    """Flush every file of a folder to disk and name it with its hash.

    Args:
        folder: of the export.
        heading: what else the manifest says; nothing that differs when the same is exported again.

    Returns:
        SHA-256 of the manifest.
    """
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        _flush(path)
        files[str(path.relative_to(folder))] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    text = json.dumps({**heading, "files": files}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    _flush(folder / MANIFEST)
    return hashlib.sha256(text.encode()).hexdigest()


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_zip(folder: Path, target: Path, *, root: str) -> None:
    """Pack a folder; the same files give the same bytes.

    Args:
        folder: of the export.
        target: the archive.
        root: name of the one folder inside it.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{root}/{path.relative_to(folder)}", (2000, 1, 1, 0, 0, 0))
            stored = path.suffix in {".png", ".tiff"}
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                while piece := source.read(1 << 20):
                    sink.write(piece)
    _flush(target)
