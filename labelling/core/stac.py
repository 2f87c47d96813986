"""Search STAC APIs and walk static STAC catalogues, through our own door and within bounds."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import pystac
from pystac.errors import STACError, STACTypeError
from pystac_client import Client
from pystac_client.conformance import ConformanceClasses
from pystac_client.errors import ClientTypeError
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO

from labelling.core.errors import BadInput
from labelling.core.fetch import fetch
from labelling.core.geotiff import inside_path
from labelling.core.hosts import RemoteFault
from labelling.core.remote import is_remote
from labelling.core.s3 import told
from labelling.core.stac_items import trim_item
from labelling.core.stac_search import Bounds, StacSearch

MAX_DOCUMENT = 32 << 20
MAX_DOCUMENTS = 200_000
PAGE = 200


def search_stac(search: StacSearch, *, roots: tuple[Path, ...] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through the items that a search finds.

    Args:
        search: what is looked for, and where.
        roots: a catalogue of this machine must lie below one of these folders; empty for any.

    Yields:
        The link of each item and the item, trimmed to what a scene is made from.

    Raises:
        BadInput: the catalogue cannot be read, or its host is not allowed.
    """
    try:
        count = 0
        for link, item in _found(search, _Io(roots)):
            if _is_wanted(item, search):
                yield link, trim_item(item, link=link)
                count += 1
            if count >= search.most:
                return
    except BadInput:
        raise
    except (RemoteFault, *_BAD) as error:
        raise BadInput(_reason(error), file=search.url[:200]) from error


_BAD = (
    STACError, STACTypeError, ClientTypeError, APIError, ValueError, TypeError, AttributeError, LookupError,
    RecursionError, OSError, NotImplementedError,
)  # fmt: skip


def _reason(error: BaseException) -> str:
    """Our own words where they are behind those of the library."""
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, BadInput | RemoteFault):
            return str(behind)
        behind = behind.__cause__ or behind.__context__
    return f"cannot be read as a STAC catalogue: {str(error)[:300] or type(error).__name__}"


class _Io(StacApiIO):
    """Reads documents: of other machines by ``fetch``, of this one only below the roots."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        super().__init__(max_retries=None)
        self.roots = roots
        self.read = 0

    def request(
        self,
        href: str,
        method: str | None = None,
        headers: dict[str, str] | None = None,  # a server's wish what to send is not heard
        parameters: dict[str, Any] | None = None,
    ) -> str:
        self._count()
        is_post = (method or "GET").upper() == "POST"
        if not is_post and parameters:
            parts = urlsplit(href)
            query = "&".join(filter(None, (parts.query, urlencode(parameters))))
            href = urlunsplit(parts._replace(query=query))
        reply = fetch(
            href,
            limit=MAX_DOCUMENT,
            method="POST" if is_post else "GET",
            body=json.dumps(parameters or {}).encode() if is_post else None,
            headers={"Accept": "application/geo+json, application/json", "Content-Type": "application/json"},
        )
        if reply.status != 200:
            msg = f"{urlsplit(href).hostname}: {told(reply.status)}"
            raise RemoteFault(msg)
        return reply.body.decode()

    def read_text(self, source: Any, *args: Any, **kwargs: Any) -> str:
        if isinstance(source, pystac.Link) or is_remote(str(source)):
            return str(super().read_text(source, *args, **kwargs))
        self._count()
        path = inside_path(str(source), roots=self.roots)
        if not path.is_file() or path.stat().st_size > MAX_DOCUMENT:
            msg = "no such document, or a very large one"
            raise BadInput(msg, file=path.name)
        return path.read_text(encoding="utf-8")

    def _count(self) -> None:
        self.read += 1
        if self.read > MAX_DOCUMENTS:
            msg = f"it has more than {MAX_DOCUMENTS} documents: search a part of it"
            raise BadInput(msg)


def _found(search: StacSearch, reader: _Io) -> Iterator[tuple[str, dict[str, Any]]]:
    document = reader.read_json(search.url)
    if document.get("type") == "Feature":
        return iter([(search.url, document)])
    if document.get("type") == "Collection":
        return _walked(reader.stac_object_from_dict(document, href=search.url), search)
    client = Client.open(search.url, stac_io=reader)
    return _asked(client, search) if client.conforms_to(ConformanceClasses.ITEM_SEARCH) else _walked(client, search)


def _asked(client: Client, search: StacSearch) -> Iterator[tuple[str, dict[str, Any]]]:
    """Let the API search."""
    since, until = (time.isoformat() if time else ".." for time in (search.since, search.until))
    may_query = search.max_cloud is not None and client.conforms_to(ConformanceClasses.QUERY)
    asked = client.search(
        method="POST" if may_query else "GET",
        collections=list(search.collections) or None,
        bbox=search.bbox,
        datetime=f"{since}/{until}" if (search.since or search.until) else None,
        query={"eo:cloud_cover": {"lte": search.max_cloud}} if may_query else None,
        limit=PAGE,
    )
    for item in asked.items_as_dicts():
        link = next((link.get("href") for link in item.get("links", []) if link.get("rel") == "self"), None)
        yield str(link or f"{search.url.rstrip('/')}/{item.get('collection')}/{item.get('id')}"), item


def _walked(top: Any, search: StacSearch) -> Iterator[tuple[str, dict[str, Any]]]:
    """Go through a catalogue that cannot search, each document once."""
    waiting: list[pystac.Catalog] = [top]
    seen = {top.get_self_href()}
    while waiting:
        catalogue = waiting.pop()
        for link in catalogue.get_links():
            place = link.get_absolute_href()
            if link.rel not in ("child", "item") or not place or place in seen:
                continue
            seen.add(place)
            if is_remote(search.url) and not is_remote(place):
                msg = "a catalogue of another machine names a file of this one"
                raise BadInput(msg)
            found = link.resolve_stac_object(root=top).target
            if isinstance(found, pystac.Catalog) and _may_hold(found, search):
                waiting.append(found)
            elif isinstance(found, pystac.Item):
                yield place, found.to_dict(include_self_link=False, transform_hrefs=False)


def _may_hold(catalogue: pystac.Catalog, search: StacSearch) -> bool:
    return not (isinstance(catalogue, pystac.Collection) and search.collections) or (
        catalogue.id in search.collections or any(True for _ in catalogue.get_child_links())
    )


def _is_wanted(item: dict[str, Any], search: StacSearch) -> bool:
    """The search once more, since not each API does all that it is asked."""
    properties = item.get("properties") or {}
    if search.collections and item.get("collection") not in search.collections:
        return False
    cloud = properties.get("eo:cloud_cover")
    if search.max_cloud is not None and not (isinstance(cloud, int | float) and cloud <= search.max_cloud):
        return False
    box = item.get("bbox")
    if search.bbox and box and not _touch(search.bbox, (box[0], box[1], box[len(box) // 2], box[len(box) // 2 + 1])):
        return False
    return _is_within(properties, search)


def _is_within(properties: dict[str, Any], search: StacSearch) -> bool:
    start = properties.get("start_datetime") or properties.get("datetime")
    end = properties.get("end_datetime") or properties.get("datetime")
    if search.since and not (end and _time(end) >= search.since):
        return False
    return not search.until or bool(start and _time(start) <= search.until)


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _touch(one: Bounds, other: Bounds) -> bool:
    return any(
        a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3] for a in _boxes(one) for b in _boxes(other)
    )


def _boxes(box: Bounds) -> tuple[Bounds, ...]:
    """A box across 180 degrees is two."""
    west, south, east, north = box
    return (box,) if west <= east else ((west, south, 180, north), (-180, south, east, north))
