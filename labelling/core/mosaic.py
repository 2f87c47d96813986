"""One window out of several scenes: each pixel from the first of them that shows it.

Nothing is blended: a pixel is what one sensor saw on one day, in reflectance, to the last bit as if its scene had been
read alone. Scenes of other UTM zones or pixel sizes are reprojected onto the one grid of the window by GDAL.
"""

from collections.abc import Iterable, Sequence

from labelling.core.chips import Grid, cut_grid
from labelling.core.errors import BadInput
from labelling.core.pixels import Pixels
from labelling.core.scene_ref import SceneRef

MAX_SCENES = 16
"""So many scenes may be laid over each other in one window."""


def shared_bands(refs: Sequence[SceneRef]) -> tuple[str, ...]:
    """The bands that every scene has, in the order of the first."""
    return tuple(band for band in refs[0].bands if all(band in ref.bands for ref in refs))


def read_mosaic(refs: Sequence[SceneRef], grid: Grid, *, bands: tuple[str, ...] = ()) -> Pixels:
    """Read a window across scenes; a scene is opened only where those before it leave something open.

    Args:
        refs: the scenes, 1 to 16, the one that counts most first.
        grid: CRS, transform, width and height of the window.
        bands: names of the bands wanted, in that order; empty for those that all scenes have.

    Returns:
        Reflectance as float32, scale 1 and offset 0; masked where no scene has data in every band.

    Raises:
        BadInput: too many scenes, or no band in common.
        BadRaster: a scene lacks a band, or a file cannot be read.
    """
    wanted = bands or shared_bands(refs)
    if not wanted or not 0 < len(refs) <= MAX_SCENES:
        msg = f"a mosaic is read from 1 to {MAX_SCENES} scenes with a band in common, not from {len(refs)}"
        raise BadInput(msg)
    return lay_over(cut_grid(ref, grid, bands=wanted) for ref in refs)


def cut_filled(ref: SceneRef, grid: Grid, *, fill: Sequence[SceneRef] = (), bands: tuple[str, ...] = ()) -> Pixels:
    """Cut a window out of a scene, and where that shows nothing out of others.

    Args:
        ref: the scene.
        grid: CRS, transform, width and height of the window.
        fill: the others, the one that counts most first; none for the scene as it is.
        bands: names of the bands wanted, in that order; empty for all, of several scenes those that all have.

    Raises:
        BadInput: too many scenes, or no band in common.
        BadRaster: a scene lacks a band, or a file cannot be read.
    """
    return read_mosaic((ref, *fill), grid, bands=bands) if fill else cut_grid(ref, grid, bands=bands)


def lay_over(parts: Iterable[Pixels]) -> Pixels:
    """Lay pixels of one grid over each other, the first on top; no more of them are asked for than are seen.

    Args:
        parts: at least one, all of the same grid and bands.

    Returns:
        Reflectance as float32, scale 1 and offset 0; masked where no part has data.
    """
    rest = iter(parts)
    top = next(rest)
    data, mask = top.reflectance(), top.mask.copy()
    for part in () if mask.all() else rest:
        new = part.mask & ~mask
        data[:, new] = part.reflectance()[:, new]
        mask |= new
        if mask.all():
            break
    return Pixels(data, mask, top.crs, top.transform, top.bands)
