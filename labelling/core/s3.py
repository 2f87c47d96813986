"""S3-compatible stores: addresses, signed requests (AWS Signature Version 4), and what lies below a prefix."""

import hashlib
import hmac
import xml.etree.ElementTree as ET  # of the admin's own store, and never with a DOCTYPE
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from labelling.core.fetch import NO_SIGNER, Signer, fetch
from labelling.core.hosts import ObjectStore, RemoteFault, Target, policy

_NOTHING = hashlib.sha256(b"").hexdigest()
_PAGE_BYTES = 8 << 20
_PREFIXES = ("s3://", "/vsis3/")


def is_s3(text: str) -> bool:
    """Whether a reference is to an object store: ``s3://bucket/key``, or ``/vsis3/bucket/key`` as GDAL writes it."""
    return text.startswith(_PREFIXES)


def s3_address(text: str) -> str:
    """Write a reference to an object store as ``s3://bucket/key``."""
    return "s3://" + next(text.removeprefix(prefix) for prefix in _PREFIXES if text.startswith(prefix))


@dataclass(frozen=True)
class StoreSigner(Signer):
    """Signs requests for a store with its key."""

    store: ObjectStore

    def headers(self, method: str, target: Target, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers to send, signed as of now."""
        return signed(self.store, method, target, headers, at=datetime.now(UTC))


def locate(address: str) -> tuple[str, Signer]:
    """Find the web address of an object, and who signs the request for it.

    Args:
        address: ``s3://bucket/key``.

    Raises:
        RemoteFault: no bucket is allowed, or not this one.
    """
    bucket, _, key = address.removeprefix("s3://").partition("/")
    store = _store_with(bucket)
    return f"{_endpoint(store)}/{bucket}/{quote(key, safe='/-_.~')}", _signer(store)


def list_objects(address: str) -> Iterator[tuple[str, int]]:
    """Go through the objects below a prefix, in the order of their keys.

    Args:
        address: ``s3://bucket/prefix``.

    Yields:
        The address ``s3://bucket/key`` and the size in bytes of each.

    Raises:
        RemoteFault: the bucket is not allowed, or the store does not answer with a list.
    """
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    store = _store_with(bucket)
    asked = {"list-type": "2", "prefix": prefix}
    while True:
        query = "&".join(f"{quote(name, safe='')}={quote(asked[name], safe='')}" for name in sorted(asked))
        page = _page(f"{_endpoint(store)}/{bucket}?{query}", _signer(store))
        for entry in page.iterfind("{*}Contents"):
            yield f"s3://{bucket}/{entry.findtext('{*}Key', '')}", int(entry.findtext("{*}Size", "0"))
        asked["continuation-token"] = page.findtext("{*}NextContinuationToken", "")
        if not asked["continuation-token"]:
            return


def _page(url: str, signer: Signer) -> ET.Element:
    reply = fetch(url, limit=_PAGE_BYTES, signer=signer)
    if reply.status != 200:
        msg = f"the store does not list it: {told(reply.status)}"
        raise RemoteFault(msg)
    try:
        if b"<!DOCTYPE" in reply.body[:1000]:
            raise ET.ParseError
        return ET.fromstring(reply.body)  # noqa: S314  # see the import
    except ET.ParseError as error:
        msg = "the store answers with what is not a list of objects: check AWS_ENDPOINT_URL_S3"
        raise RemoteFault(msg) from error


def told(status: int) -> str:
    """Say what a status means for who wanted to read."""
    meanings = {
        401: "it wants a key",
        403: "it does not let this key read it, or wants one",
        404: "it is not there",
        429: "it is too busy",
    }
    return f"{meanings.get(status, 'it answered with an error')} (status {status})"


def signed(
    store: ObjectStore, method: str, target: Target, headers: Mapping[str, str], *, at: datetime
) -> dict[str, str]:
    """Sign a request without a body.

    Args:
        store: with its key and region.
        method: such as ``GET``.
        target: where it goes.
        headers: that are sent with it; all of them are signed.
        at: the time of the request, UTC.

    Returns:
        The headers to send: those given, and the store's.

    Source: AWS, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
    """
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    netloc = urlsplit(target.url).netloc
    sent = {**headers, "x-amz-date": stamp, "x-amz-content-sha256": _NOTHING}
    if store.token:
        sent["x-amz-security-token"] = store.token
    canonical = {name.lower(): value.strip() for name, value in {**sent, "host": netloc}.items()}
    names = ";".join(sorted(canonical))
    path, _, query = target.path.partition("?")
    asked = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, True))
    lines = [
        method,
        path,
        "&".join(f"{name}={value}" for name, value in asked),
        *(f"{name}:{canonical[name]}" for name in sorted(canonical)),
        "",
        names,
        _NOTHING,
    ]
    scope = f"{day}/{store.region}/s3/aws4_request"
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    key = f"AWS4{store.secret}".encode()
    for part in (day, store.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hexdigest()
    sent["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={store.key}/{scope},SignedHeaders={names},Signature={signature}"
    )
    return sent


def _store_with(bucket: str) -> ObjectStore:
    store = policy().store
    if store is None or bucket not in store.buckets:
        msg = f"the bucket {bucket[:63]!r} is not among those that may be read (MAD_S3_BUCKETS)"
        raise RemoteFault(msg)
    return store


def _endpoint(store: ObjectStore) -> str:
    place = store.endpoint
    return Target(place.scheme, place.host, place.port, "").url


def _signer(store: ObjectStore) -> Signer:
    return StoreSigner(store) if store.key else NO_SIGNER
