"""From boxes in pixels of a scene to polygons on the Earth."""

from collections.abc import Sequence

import shapely
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from inference.core.sweep import Box
from labelling.core.globe import outline_to_lonlat
from labelling.core.raster import SceneRef


def polygons_of(boxes: Sequence[Box], ref: SceneRef) -> list[BaseGeometry]:
    """Place boxes on the Earth.

    Args:
        boxes: in pixels of the scene.
        ref: the scene.

    Returns:
        A polygon of four corners for each box, EPSG:4326, counter-clockwise; split at the antimeridian.
    """
    return [shapely.orient_polygons(outline_to_lonlat(_outline(box, ref), ref.crs)) for box in boxes]


def _outline(box: Box, ref: SceneRef) -> Polygon:
    corners = ((box.x0, box.y1), (box.x1, box.y1), (box.x1, box.y0), (box.x0, box.y0))
    return Polygon([ref.affine @ corner for corner in corners])
