"""Where the rows of a table lie: from columns of latitude and longitude, or of well-known text."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import shapely
from pyproj import Transformer
from shapely.errors import GEOSException
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from labelling.core.coordinates import LAT, LON, SAID, SIDES, Angle, LooseMinutes, read_angle
from labelling.core.errors import BadGeometry
from labelling.core.formats import Row, Table, project, transformer
from labelling.core.geometry import clean_geometry

MAX_WKT = 1_000_000
# Why a row has no place, where a person can change that with a word.
# The trouble of a coordinate without a side is that side: N, S, E or W, as most other rows say.
MINUTES, OUTSIDE, SWAPPED = "minutes", "outside", "swapped"
_AXES = (LAT, LON)


@dataclass(frozen=True)
class PlaceRule:
    """The columns that say where a row lies.

    Attributes:
        lat, lon: columns of latitude and longitude, or of northing and easting where the CRS is projected.
        wkt: column of well-known text, instead.
        unsigned_lat: ``N`` or ``S`` for latitudes that have neither a sign nor a letter; empty: as written.
        unsigned_lon: ``E`` or ``W``, the same for longitudes.
        minutes_as_decimals: read minutes above sixty as decimals of the degree.
    """

    lat: str = ""
    lon: str = ""
    wkt: str = ""
    unsigned_lat: str = ""
    unsigned_lon: str = ""
    minutes_as_decimals: bool = False

    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(name for name in (self.lat, self.lon, self.wkt) if name)

    def side_of(self, axis: str) -> str:
        """What a coordinate without a sign means."""
        return self.unsigned_lat if axis == LAT else self.unsigned_lon


@dataclass(frozen=True)
class _NoPlace(Exception):
    reason: str
    trouble: str = ""


def place_rows(table: Table, rule: PlaceRule, *, crs: str = "") -> Table:
    """Give the rows that have no geometry the place that their columns say.

    Args:
        table: the rows; those with a geometry stay as they are.
        rule: which columns.
        crs: ``EPSG:n`` of the columns; empty: longitude and latitude, WGS 84.

    Returns:
        The table; a row whose columns cannot be read says why in its ``fault``.

    Raises:
        BadInput: the CRS is not known.
    """
    if not rule.columns():
        return table
    reader = _Places(rule, transformer(crs) if crs else None, _letters(table, rule))
    return replace(table, rows=tuple(reader.place(row) for row in table.rows))


def _letters(table: Table, rule: PlaceRule) -> Mapping[str, tuple[str, int]]:
    """For each axis the letter that most rows say, where at least half of them say one, and how many do."""
    found = {}
    for axis, column in ((LAT, rule.lat), (LON, rule.lon)):
        said = Counter(angle.side for row in table.rows if (angle := _angle_or_none(row, column, axis)))
        side, count = max(((side, said[side]) for side in SIDES[axis]), key=lambda pair: pair[1])
        if count and count >= said.total() / 2:
            found[axis] = side, count
    return found


def _angle_or_none(row: Row, column: str, axis: str) -> Angle | None:
    value = row.properties.get(column)
    if row.geometry is not None or row.fault or not isinstance(value, str):
        return None
    try:
        return read_angle(value, axis)
    except BadGeometry:
        return None


@dataclass(frozen=True)
class _Places:
    rule: PlaceRule
    to_lonlat: Transformer | None
    letters: Mapping[str, tuple[str, int]]

    def place(self, row: Row) -> Row:
        if row.geometry is not None or row.fault:
            return row
        try:
            raw = self._geometry(row)
            geometry, repaired = clean_geometry(project(raw, self.to_lonlat))
        except _NoPlace as error:
            return replace(row, fault=error.reason, trouble=error.trouble)
        except BadGeometry as error:
            return replace(row, fault=f"{self._quoted(row)}: {error.reason}", trouble=OUTSIDE)
        return replace(row, geometry=geometry, repaired=repaired, is_placed=True)

    def _quoted(self, row: Row) -> str:
        return ", ".join(f"{column} {str(row.properties.get(column))[:60]!r}" for column in self.rule.columns())

    def _geometry(self, row: Row) -> BaseGeometry:
        if self.rule.wkt:
            return self._from_text(row.properties.get(self.rule.wkt))
        values = {LAT: row.properties.get(self.rule.lat), LON: row.properties.get(self.rule.lon)}
        empty = [column for axis, column in zip(_AXES, self.rule.columns(), strict=False) if values[axis] is None]
        if empty:
            raise _NoPlace(f"it has no place: {' and '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty")
        if self.to_lonlat is not None:
            return Point(*(_number(values[axis], axis) for axis in (LON, LAT)))
        return Point(*(self._degrees(values[axis], axis) for axis in (LON, LAT)))

    def _degrees(self, value: Any, axis: str) -> float:
        try:
            angle = _angle(value, axis, self.rule)
        except LooseMinutes as error:
            raise _NoPlace(error.reason, MINUTES) from error
        except BadGeometry as error:
            raise _NoPlace(error.reason, SWAPPED if "swapped" in error.reason else "") from error
        if angle.side or angle.is_signed:
            return angle.degrees
        if side := self.rule.side_of(axis):
            return -angle.degrees if side in {"S", "W"} else angle.degrees
        if isinstance(value, str) and axis in self.letters:
            side, count = self.letters[axis]
            either = " nor ".join(SAID[one] for one in SIDES[axis])
            msg = f"{value.strip()[:40]!r} says neither {either}; {count} other rows say {SAID[side]}"
            raise _NoPlace(msg, side)
        return angle.degrees

    @staticmethod
    def _from_text(value: Any) -> BaseGeometry:
        if value is None:
            msg = "it has no place: its geometry is empty"
            raise _NoPlace(msg)
        text = str(value)
        # Every nested collection opens a bracket, and GEOS follows them until the process ends.
        if len(text) > MAX_WKT or text.upper().count("COLLECTION") > 1:
            msg = "its geometry is nested or too long"
            raise _NoPlace(msg)
        try:
            return shapely.from_wkt(text)
        except (GEOSException, ValueError) as error:
            raise _NoPlace(f"its geometry is not well-known text: {str(error)[:80]}") from error


def _angle(value: Any, axis: str, rule: PlaceRule) -> Angle:
    if isinstance(value, int | float):
        return Angle(float(value), is_signed=value < 0)
    return read_angle(str(value), axis, minutes_as_decimals=rule.minutes_as_decimals)


def _number(value: Any, axis: str) -> float:
    try:
        return float(value if isinstance(value, int | float) else str(value).strip().replace(",", "."))
    except ValueError as error:
        what = "northing" if axis == LAT else "easting"
        raise _NoPlace(f"{what} {str(value)[:40]!r} is not a number") from error
