"""Rows of one table, many at once or at every key press, by statements that are composed once.

Many go by COPY on PostGIS, and by one prepared statement on SpatiaLite: Django's ``bulk_create`` and ``bulk_update``
compose every value of every row, and for tens of thousands of outlines that takes minutes.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from django.contrib.gis.db import models
from django.contrib.gis.geos import GEOSGeometry
from django.db import connection
from django.utils import timezone
from shapely.geometry.base import BaseGeometry

Convert = Callable[[Any], Any]


def to_hex(geometries: Sequence[BaseGeometry]) -> list[Any]:
    """Write geometries (EPSG:4326) as a field takes them without reading: each is parsed only where somebody asks."""
    located = shapely.set_srid(np.array(geometries, object), 4326)
    return list(shapely.to_wkb(located, hex=True, include_srid=True))


def insert_rows(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one model and give them their ids. Nothing derived is computed, and no signal sent.

    Args:
        rows: instances without ids, complete but for dates that are set of themselves.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = model._meta.concrete_fields
    for pk, row in zip(_new_ids(model, len(rows)), rows, strict=True):
        row.pk = pk
    _set_stored(rows)
    _set_dates(rows, fields)
    columns, table = _columns(fields), connection.ops.quote_name(model._meta.db_table)
    values = _values(rows, fields)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for line in values:
                    copy.write_row(line)
        else:
            places = ", ".join(_place(field) for field in fields)
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", values)  # noqa: S608  # our names


def insert_row(row: models.Model, *, over: str = "") -> None:
    """Insert one new row and give it its id, for what happens at every key press. No signal is sent.

    Args:
        row: an instance without an id, complete but for dates that are set of themselves.
        over: a unique field; a row that has its value already is overwritten.
    """
    fields = [field for field in type(row)._meta.concrete_fields if not field.primary_key]
    _set_dates([row], fields)
    [values] = _values([row], fields)
    with connection.cursor() as cursor:
        cursor.execute(_insertion(type(row), over, connection.vendor), values)
        [row.pk] = cursor.fetchone()
    _set_stored([row])


@lru_cache
def _insertion(model: type[models.Model], over: str, vendor: str) -> str:
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    places = ", ".join(_place(field) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    text = f"INSERT INTO {table} ({_columns(fields)}) VALUES ({places})"  # noqa: S608  # our names
    if over:
        key: Any = model._meta.get_field(over)
        names = [connection.ops.quote_name(str(field.column)) for field in fields if field is not key]
        changes = ", ".join(f"{name} = excluded.{name}" for name in names)
        text += f" ON CONFLICT ({_columns([key])}) DO UPDATE SET {changes}"
    return f"{text} RETURNING {_columns([model._meta.pk])}"


@lru_cache
def columns_of(model: type[models.Model], alias: str, vendor: str, only: tuple[str, ...] = ()) -> str:
    """The columns of a table as ``raw`` reads them, for a statement that names the table by an alias.

    Args:
        model: whose table.
        alias: of the table.
        vendor: of the database's connection.
        only: names of fields; empty for all.
    """
    ops: Any = connection.ops
    named = [
        (field, ops.quote_name(str(field.column)))
        for field in model._meta.concrete_fields
        if not only or field.name in only
    ]
    return ", ".join(
        f"{ops.select % f'{alias}.{name}'} AS {name}" if isinstance(field, models.GeometryField) else f"{alias}.{name}"
        for field, name in named
    )


def update_rows(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write some fields of many rows of one model that are there.

    Args:
        rows: instances with ids.
        names: fields.
    """
    if not rows:
        return
    meta = type(rows[0])._meta
    fields: list[Any] = [meta.get_field(name) for name in names]
    changes = ", ".join(f"{connection.ops.quote_name(str(field.column))} = {_place(field)}" for field in fields)
    key = connection.ops.quote_name(str(meta.pk.column))
    table = connection.ops.quote_name(meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {changes} WHERE {key} = %s",  # noqa: S608  # names of our models
            [(*line, row.pk) for line, row in zip(_values(rows, fields), rows, strict=True)],
        )


def _new_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Ids that nobody else gets. SpatiaLite has one writer at a time, and the caller is in its transaction."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "pg_get_serial_sequence(%s, %s)"
            cursor.execute(
                f"SELECT nextval({sequence}) FROM generate_series(1, %s)",  # noqa: S608
                [table, model._meta.pk.column, count],
            )
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = cursor.fetchone()
    first = (last[0] if last else 0) + 1
    return range(first, first + count)


def _columns(fields: Sequence[Any]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)


def _set_stored(rows: Sequence[models.Model]) -> None:
    alias = connection.alias
    for row in rows:
        row._state.adding, row._state.db = False, alias


def _set_dates(rows: Sequence[models.Model], fields: Sequence[Any]) -> None:
    now = timezone.now()
    for field in fields:
        if isinstance(field, models.DateTimeField) and (field.auto_now or field.auto_now_add):
            for row in rows:
                row.__dict__[field.attname] = now


def _place(field: Any) -> str:
    if not isinstance(field, models.GeometryField):
        return "%s"
    return "%s::geometry" if connection.vendor == "postgresql" else "GeomFromEWKB(%s)"


def _values(rows: Sequence[models.Model], fields: Sequence[Any]) -> list[tuple[Any, ...]]:
    ways = [(field.attname, _convert(field)) for field in fields]
    return [tuple(convert(row.__dict__[name]) for name, convert in ways) for row in rows]


def _convert(field: Any) -> Convert:
    if isinstance(field, models.GeometryField):
        return _hex
    if isinstance(field, models.JSONField):
        return json.dumps
    if isinstance(field, models.UUIDField) and not connection.features.has_native_uuid_field:
        return lambda value: value and value.hex
    if isinstance(field, models.DateTimeField):
        adapt = connection.ops.adapt_datetimefield_value
        return lambda value: value and adapt(value)
    return lambda value: value


def _hex(value: str | GEOSGeometry | None) -> str | None:
    return value.hexewkb.decode() if isinstance(value, GEOSGeometry) else value
