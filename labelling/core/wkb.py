"""Well-known binary from outside, walked through before GEOS sees it: deep nesting there ends the whole process."""

import struct

import shapely
from shapely.errors import GEOSException
from shapely.geometry.base import BaseGeometry

_MAX_PARTS = 1_000_000
_HAS_Z, _HAS_M, _HAS_SRID = 0x80000000, 0x40000000, 0x20000000
_POINT, _LINE, _POLYGON, _COLLECTION = 1, 2, 3, 7
# What a kind may hold: a multi the one kind of its parts, a collection anything but another collection.
_PARTS = {4: {_POINT}, 5: {_LINE}, 6: {_POLYGON}, _COLLECTION: {1, 2, 3, 4, 5, 6}}


class _BadBinary(ValueError):
    """Why a blob is not read."""


def read_wkb(blob: bytes) -> BaseGeometry | str:
    """Read a geometry.

    Args:
        blob: OGC or extended well-known binary.

    Returns:
        The geometry, unchecked and perhaps invalid; or why there is none.
    """
    try:
        _Walk(blob).run()
        return shapely.from_wkb(blob)
    except (GEOSException, ValueError, TypeError, struct.error) as error:
        return f"its geometry cannot be read: {str(error)[:120]}"


class _Walk:
    """Goes over the parts of a blob without recursion."""

    def __init__(self, blob: bytes) -> None:
        self.blob, self.at, self.order = blob, 0, "<"

    def run(self) -> None:
        waiting = [(1, {*range(1, 8)})]
        parts = 0
        while waiting:
            left, allowed = waiting.pop()
            if left > 1:
                waiting.append((left - 1, allowed))
            kind, width = self._kind()
            parts += 1
            if kind not in allowed or parts > _MAX_PARTS:
                msg = "it is nested" if kind in range(1, 8) else f"a kind {kind} is not known here"
                raise _BadBinary(msg)
            if kind in _PARTS:
                if count := self._count():
                    waiting.append((count, _PARTS[kind]))
            else:
                self._skip(kind, width)

    def _kind(self) -> tuple[int, int]:
        """The kind, and the bytes of one position."""
        self.order = "<" if self.blob[self.at : self.at + 1] == b"\x01" else ">"
        self.at += 1
        code = self._count()
        if code & _HAS_SRID:
            self.at += 4
        plain = code & ~(_HAS_Z | _HAS_M | _HAS_SRID)
        axes = 2 + bool(code & _HAS_Z) + bool(code & _HAS_M) + (0, 1, 1, 2)[min(plain // 1000, 3)]
        return plain % 1000, 8 * axes

    def _count(self) -> int:
        (count,) = struct.unpack_from(f"{self.order}I", self.blob, self.at)
        self.at += 4
        return int(count)

    def _skip(self, kind: int, width: int) -> None:
        for _ in range(self._count() if kind == _POLYGON else 1):
            positions = 1 if kind == _POINT else self._count()
            self.at += width * positions
        if self.at > len(self.blob):
            msg = "it is cut off"
            raise _BadBinary(msg)
