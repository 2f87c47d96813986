"""Drawn tiles on disk, the least recently drawn removed when there are too many."""

import os
import random
from contextlib import suppress
from pathlib import Path

from django.conf import settings

SWEEP_EACH = 500
"""How many tiles are kept, on average, between two looks at how much there is."""
KEEP_SHARE = 0.8


def _place(key: str) -> Path:
    return Path(settings.TILE_ROOT) / key[:2] / key[2:]


def cached_tile(*, key: str) -> bytes | None:
    """Find a tile that was drawn before.

    Args:
        key: hexadecimal name of the tile: scene, version, bands, stretch, place and format.
    """
    try:
        return _place(key).read_bytes() or None
    except OSError:
        return None


def keep_tile(*, key: str, image: bytes) -> None:
    """Keep a tile for the next who asks; where the disk refuses, it is drawn again.

    Args:
        key: see ``cached_tile``.
        image: the encoded tile.
    """
    target = _place(key)
    temporary = target.with_name(f".{target.name}-{os.getpid()}-{random.getrandbits(32):08x}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not flushed: what a power cut empties reads as absent and is drawn again.
        temporary.write_bytes(image)
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return
    if random.random() < 1 / SWEEP_EACH:  # noqa: S311
        sweep_tiles(limit=settings.TILE_CACHE_BYTES)


def sweep_tiles(*, limit: int) -> int:
    """Remove the oldest tiles where there are more than the limit, down to four fifths of it.

    Args:
        limit: bytes.

    Returns:
        How many were removed.
    """
    files = []
    for path in Path(settings.TILE_ROOT).glob("*/*"):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        files.append((stat.st_mtime_ns, stat.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= limit:
        return 0
    removed = 0
    for _, size, path in sorted(files):
        if total <= limit * KEEP_SHARE:
            break
        path.unlink(missing_ok=True)
        total, removed = total - size, removed + 1
    return removed
