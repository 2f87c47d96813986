"""Geometries between the database and core, and searches by box that use the spatial index."""

from typing import Any, TypeVar

import numpy as np
import shapely
from django.contrib.gis.db import models
from django.contrib.gis.geos import GEOSGeometry, Point, Polygon
from django.db import connection
from django.db.models.expressions import RawSQL
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from labelling.core.cells import cells_of

Row = TypeVar("Row", bound=models.Model)
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees, EPSG:4326; west above east reaches over the antimeridian."""

_BOXES = 1000
_BOX_SQL = "SELECT pkid FROM {index} WHERE xmax >= %s AND xmin <= %s AND ymax >= %s AND ymin <= %s"


class CellField(models.BigIntegerField):  # type: ignore[type-arg]
    """The cell of the web map that the row's ``point`` lies in; it follows the point whenever a row is saved.

    ``update`` and ``bulk_update`` save no rows: they take the value of ``cell_at``.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> int:
        cell = cell_at(model_instance.point)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, cell)
        return cell


def cell_at(point: Point) -> int:
    """The number of the cell that a point of the database lies in."""
    return int(cells_of(point.x, point.y))


def to_shapely(geometry: GEOSGeometry) -> BaseGeometry:
    """Hand a geometry of the database to core."""
    return shapely.from_wkb(bytes(geometry.wkb))


def to_geos(geometry: BaseGeometry) -> GEOSGeometry:
    """Hand a geometry of core (EPSG:4326) to the database."""
    return GEOSGeometry(memoryview(shapely.to_wkb(geometry)), srid=4326)


def boxes_of(box: Box) -> list[Box]:
    """Split a box that reaches over the antimeridian in two, and cut what reaches over the poles."""
    west, south, east, north = box
    south, north = max(south, -90.0), min(north, 90.0)
    if west > east or west < -180 or east > 180:
        if east - west >= 360:
            return [(-180.0, south, 180.0, north)]
        west, east = (west + 180) % 360 - 180, (east + 180) % 360 - 180
        return (
            [(west, south, 180.0, north), (-180.0, south, east, north)] if west > east else [(west, south, east, north)]
        )
    return [(west, south, east, north)]


def in_box(model: type[models.Model], column: str, box: Box) -> models.Q:
    """Select rows whose geometry's own box touches a box.

    SpatiaLite keeps an index but uses it only where the query names its table.
    """
    found = models.Q(pk__in=[])
    for part in boxes_of(box):
        found |= _in_plain_box(model, column, part)
    return found


def ids_in_boxes(model: type[models.Model], column: str, boxes: NDArray[np.float64]) -> set[int]:
    """Find the rows whose geometry's own box touches one of many boxes, a thousand boxes in each question.

    Args:
        model: whose rows.
        column: a geometry with an index.
        boxes: west, south, east, north in degrees, none over the antimeridian, shape (N, 4).
    """
    table = model._meta.db_table
    if connection.vendor == "sqlite":
        index = connection.ops.quote_name(f"idx_{table}_{column}")
        ask = (
            f"SELECT found.pkid FROM ({{boxes}}) box CROSS JOIN {index} found ON found.xmax >= box.w"  # noqa: S608
            " AND found.xmin <= box.e AND found.ymax >= box.s AND found.ymin <= box.n"
        )
    else:
        ask = (
            f"SELECT found.id FROM ({{boxes}}) box CROSS JOIN LATERAL (SELECT there.id FROM {table} there"  # noqa: S608
            f" WHERE there.{column} && ST_MakeEnvelope(box.w, box.s, box.e, box.n, 4326) OFFSET 0) found"
        )
    found: set[int] = set()
    with connection.cursor() as cursor:
        for start in range(0, len(boxes), _BOXES):
            rows = boxes[start : start + _BOXES].tolist()
            names = "SELECT {!r} AS w, {!r} AS s, {!r} AS e, {!r} AS n".format(*rows[0])
            values = ", ".join("({!r}, {!r}, {!r}, {!r})".format(*row) for row in rows[1:])
            cursor.execute(ask.format(boxes=f"{names} UNION ALL VALUES {values}" if values else names))
            found.update(pk for (pk,) in cursor.fetchall())
    return found


def _in_plain_box(model: type[models.Model], column: str, box: Box) -> models.Q:
    west, south, east, north = box
    if connection.vendor == "sqlite":
        sql = _BOX_SQL.format(index=connection.ops.quote_name(f"idx_{model._meta.db_table}_{column}"))
        ids: Any = RawSQL(sql, [west, east, south, north])  # noqa: S611  # names from our models, values as parameters
        return models.Q(pk__in=ids)
    return models.Q(**{f"{column}__bboverlaps": Polygon.from_bbox((west, south, east, north))})
