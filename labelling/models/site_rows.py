"""Sites by their ids, as they are asked for at every key press: by a statement that is composed once."""

from collections.abc import Sequence
from functools import lru_cache

from django.db import connection

from labelling.models.region import Region
from labelling.models.rows import columns_of
from labelling.models.site import Site
from labelling.models.taxonomy import Axis, MineType

_OF_REGION = ("name", "biome", "realm")


def read_sites(ids: Sequence[int], *, lock: bool = False) -> dict[int, Site]:
    """Read sites with the codes of their types and the names of their region.

    Whatever else is asked of a type or of the region is read when it is asked for.

    Args:
        ids: of the sites.
        lock: hold the rows until the end of the transaction.

    Returns:
        Those that are there, by id.
    """
    if not ids:
        return {}
    places = ", ".join(["%s"] * len(ids))
    text = _statement(connection.vendor).format(places=places, lock=_lock(connection.vendor) if lock else "")
    found = list(Site.objects.raw(text, list(ids)))
    for site in found:
        read = vars(site)
        for axis in Axis.values:
            pk, code = read[f"{axis}_id"], read.pop(f"{axis}_code")
            setattr(site, axis, None if pk is None else MineType.from_db(None, ["id", "code"], [pk, code]))
        of_region = [read.pop(f"region_{name}") for name in _OF_REGION]
        if site.region_id is not None:
            site.region = Region.from_db(None, ["id", *_OF_REGION], [site.region_id, *of_region])
    return {site.pk: site for site in found}


def _lock(vendor: str) -> str:
    return "FOR UPDATE OF s" if vendor == "postgresql" else ""  # SpatiaLite has one writer at a time


@lru_cache
def _statement(vendor: str) -> str:
    # Not joined: what is joined to a row that had to be waited for belongs to the row as it was before.
    asked = [(axis, "code", MineType) for axis in Axis.values] + [("region", name, Region) for name in _OF_REGION]
    more = ", ".join(
        f"(SELECT {name} FROM {model._meta.db_table} t WHERE t.id = s.{field}_id) AS {field}_{name}"  # noqa: S608  # our names
        for field, name, model in asked
    )
    columns = columns_of(Site, "s", vendor)
    return f"SELECT {columns}, {more} FROM labelling_site s WHERE s.id IN ({{places}}) {{lock}}"  # noqa: S608  # our names
