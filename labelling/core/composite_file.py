"""A composite as a cloud-optimised file that says what it was made of.

``python -m labelling.core.composite_file`` writes one in a process of its own, from a JSON spec on stdin.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError
from shapely.geometry import shape

import labelling.core.gdal  # noqa: F401  # before rasterio, so that its drivers are the few we want
from labelling.core.blobs import scratch_folder
from labelling.core.child import Emit, child_main
from labelling.core.cog import SCRATCH, write_cog
from labelling.core.composite import NODATA, OFFSET, SCALE, CompositePlan, compose, plan_composite
from labelling.core.errors import BadInput, BadRaster
from labelling.core.raster import SceneRef

TAG = "COMPOSITE"
"""Tag of the file that holds the provenance as JSON."""
_BLENDED = 0.8
"""Share of the work that is done when the pixels are; the rest is the file."""


def write_composite(
    plan: CompositePlan,
    target: Path,
    *,
    provenance: Mapping[str, Any],
    tags: Mapping[str, str],
    on_progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Write a composite, whole or not at all.

    Args:
        plan: what it is made of.
        target: where it shall appear.
        provenance: what the file shall say of its making; ``scenes`` has an entry for each scene of the plan.
        tags: other tags of the file.
        on_progress: called with the share that is done, 0 to 1; may raise to stop.

    Returns:
        The provenance, completed: in ``scenes`` each with its ``masks``, who was heard of clouds.

    Raises:
        BadRaster: a scene cannot be read, or the file not be written.
    """
    with scratch_folder(target) as folder:
        blocks = str(folder / "blocks.tif")
        try:
            told = _write_blocks(plan, blocks, provenance, tags, on_progress or (lambda _: None))
        except RasterioError as error:
            msg = f"the composite could not be written: {error}"
            raise BadRaster(msg, file=target.name) from error
        write_cog(_ref(plan, blocks), target)
    return told


def _write_blocks(
    plan: CompositePlan,
    path: str,
    provenance: Mapping[str, Any],
    tags: Mapping[str, str],
    on_progress: Callable[[float], None],
) -> dict[str, Any]:
    grid, count, masks = plan.grid, len(plan.windows), [""] * len(plan.refs)
    shape_ = {"width": grid.width, "height": grid.height, "count": len(plan.bands), "dtype": "uint16"}
    place = {"crs": grid.crs, "transform": grid.transform, "nodata": NODATA}
    with rasterio.open(path, "w", driver="GTiff", **shape_, **SCRATCH, **place) as file:
        for done, block in enumerate(compose(plan), start=1):
            file.write(block.data, window=block.window)
            masks = [max(pair, key=len) for pair in zip(masks, block.masks, strict=True)]
            on_progress(_BLENDED * done / count)
        for index, band in enumerate(plan.bands, start=1):
            file.set_band_description(index, band)
        file.scales, file.offsets = (SCALE,) * len(plan.bands), (OFFSET,) * len(plan.bands)
        scenes = [{**scene, "masks": by} for scene, by in zip(provenance["scenes"], masks, strict=True)]
        told = {**provenance, "scenes": scenes}
        file.update_tags(**tags, **{TAG: json.dumps(told)})
    return told


def _ref(plan: CompositePlan, path: str) -> SceneRef:
    count, grid = len(plan.bands), plan.grid
    return SceneRef(
        path=path,
        crs=grid.crs,
        transform=tuple(grid.transform)[:6],
        width=grid.width,
        height=grid.height,
        dtype="uint16",
        bands=plan.bands,
        scales=(SCALE,) * count,
        offsets=(OFFSET,) * count,
        nodata=NODATA,
    )


def spec_of(
    refs: Sequence[SceneRef],
    *,
    method: str,
    area: Mapping[str, Any] | None,
    target: Path,
    provenance: Mapping[str, Any],
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """The spec of a child process that writes a composite, ready for JSON; ``area`` is GeoJSON, EPSG:4326."""
    return {
        "refs": [asdict(ref) for ref in refs],
        "method": method,
        "area": area,
        "target": str(target),
        "provenance": dict(provenance),
        "tags": dict(tags),
    }


def _work(spec: dict[str, Any], emit: Emit) -> None:
    def tell(share: float) -> None:
        phase = "putting scenes together" if share < _BLENDED else "writing the file"
        emit({"event": "progress", "phase": phase, "progress": share})
        emit({"event": "share", "done": share})

    refs = [SceneRef.from_json(ref) for ref in spec["refs"]]
    plan = plan_composite(refs, method=spec["method"], area=shape(spec["area"]) if spec["area"] else None)
    told = write_composite(
        plan, Path(spec["target"]), provenance=spec["provenance"], tags=spec["tags"], on_progress=tell
    )
    emit({"event": "written", "provenance": told})


if __name__ == "__main__":
    child_main(_work, expected=(BadInput, OSError))
