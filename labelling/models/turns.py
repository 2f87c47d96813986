"""One at a time, over all processes, where no constraint of a table can say it."""

import zlib

from django.db import connection


def take_turn(name: str) -> None:
    """Wait until nobody else has this turn, and keep it until the transaction ends. SQLite has one writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [zlib.crc32(name.encode())])
