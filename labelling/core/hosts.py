"""Which other machines imagery may come from, as the environment says; nobody else is ever asked for anything.

Read straight from the environment, since child processes that read pixels know no settings.
"""

import ipaddress
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from labelling.core.errors import LabellingError

NAMES = (
    "MAD_REMOTE_HOSTS", "MAD_REMOTE_NETWORKS", "MAD_REMOTE_TIMEOUT_S", "MAD_S3_BUCKETS", "AWS_ENDPOINT_URL_S3",
    "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip
_PORTS = {"https": 443, "http": 80}
_PLACE = re.compile(r"(?:(https?)://)?(\*\.)?([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?/?")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MAX_URL = 1000
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class RemoteFault(LabellingError):
    """What another machine was asked for may not be asked, did not come, or came broken."""


@dataclass(frozen=True)
class Target:
    """A checked address: where to connect, and what to ask for there."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The address as one writes it."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{shown}{port}{self.path}"


@dataclass(frozen=True)
class Place:
    """One entry of the list of allowed hosts; ``any_below`` for ``*.example.org``."""

    scheme: str
    host: str
    port: int
    any_below: bool = False

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Understand ``example.org``, ``*.example.org``, ``example.org:8443`` or ``http://store.lan:9000``.

        Raises:
            ValueError: none of these.
        """
        found = _PLACE.fullmatch(text.strip().lower())
        if not found or (found[4] and not 0 < int(found[4]) < 65536):
            msg = f"{text!r} is not a host such as example.org, *.example.org or http://store.lan:9000"
            raise ValueError(msg)
        scheme = found[1] or "https"
        return cls(scheme, found[3].strip("[]"), int(found[4] or _PORTS[scheme]), bool(found[2]))

    def holds(self, target: Target) -> bool:
        """Whether the entry speaks of an address."""
        same = target.host.endswith(f".{self.host}") if self.any_below else target.host == self.host
        return same and (target.scheme, target.port) == (self.scheme, self.port)


@dataclass(frozen=True)
class ObjectStore:
    """An S3-compatible store: its endpoint, its buckets that may be read, and a key where they are not public."""

    endpoint: Place
    buckets: tuple[str, ...]
    region: str
    key: str
    secret: str
    token: str


@dataclass(frozen=True)
class RemotePolicy:
    """Who may be asked, for how long.

    Attributes:
        places: hosts that the admin has named.
        networks: private networks that the names may lead into.
        timeout_s: longest time of one request, in seconds.
        store: the object store; None where no bucket is named.
    """

    places: tuple[Place, ...]
    networks: tuple[Network, ...]
    timeout_s: float
    store: ObjectStore | None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "RemotePolicy":
        """Read the policy.

        Raises:
            ValueError: a variable that cannot be understood; the text begins with its name.
        """
        timeout = environ.get("MAD_REMOTE_TIMEOUT_S") or "30"
        if not re.fullmatch(r"\d{1,4}", timeout) or not 1 <= int(timeout) <= 600:
            msg = f"MAD_REMOTE_TIMEOUT_S is {timeout!r}: set it to a number of seconds from 1 to 600"
            raise ValueError(msg)
        return cls(
            tuple(_read("MAD_REMOTE_HOSTS", environ, Place.parse)),
            tuple(_read("MAD_REMOTE_NETWORKS", environ, ipaddress.ip_network)),
            float(timeout),
            _store_of(environ),
        )

    def check(self, url: str) -> Target:
        """Make sure that a web address may be asked, before a byte is sent.

        Raises:
            RemoteFault: not such an address, or its host is not on the list.
        """
        target = _target_of(url)
        known = self.places if self.store is None else (*self.places, self.store.endpoint)
        if not any(place.holds(target) for place in known):
            where = target.url.removesuffix(target.path)
            msg = f"{where} is not among the hosts that may be asked (MAD_REMOTE_HOSTS)"
            raise RemoteFault(msg)
        return target

    def resolve(self, target: Target) -> str:
        """Find the address to connect to; every address that the name has must be a fit one.

        Raises:
            RemoteFault: the name is unknown, or leads into a network that the admin has not named.
        """
        try:
            answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            msg = f"{target.host} is not known to the network"
            raise RemoteFault(msg) from error
        addresses = [str(answer[4][0]).partition("%")[0] for answer in answers]
        named = self.store is not None and self.store.endpoint.holds(target)
        if not all(self._is_fit(ipaddress.ip_address(address), named) for address in addresses):
            msg = f"{target.host} leads into a private network that is not named in MAD_REMOTE_NETWORKS"
            raise RemoteFault(msg)
        return addresses[0]

    def _is_fit(self, address: Any, named: bool) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        if plain.is_link_local or plain.is_multicast or plain.is_unspecified:
            return False  # no store of imagery lives there, but a cloud's key service does
        return plain.is_global or named or any(plain in network for network in self.networks)


def policy() -> RemotePolicy:
    """The policy of this process."""
    return _policy(tuple(os.environ.get(name, "") for name in NAMES))


@lru_cache(maxsize=8)
def _policy(values: tuple[str, ...]) -> RemotePolicy:
    return RemotePolicy.from_environment(dict(zip(NAMES, values, strict=True)))


def _read(name: str, environ: Mapping[str, str], parse: Any) -> list[Any]:
    try:
        return [parse(part.strip()) for part in environ.get(name, "").split(",") if part.strip()]
    except ValueError as error:
        msg = f"{name}: {error}"
        raise ValueError(msg) from error


def _store_of(environ: Mapping[str, str]) -> ObjectStore | None:
    buckets = tuple(_read("MAD_S3_BUCKETS", environ, _bucket))
    if not buckets:
        return None
    region = environ.get("AWS_REGION") or "us-east-1"
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or f"https://s3.{region}.amazonaws.com"
    (place,) = _read("AWS_ENDPOINT_URL_S3", {"AWS_ENDPOINT_URL_S3": endpoint}, Place.parse)
    key, secret = environ.get("AWS_ACCESS_KEY_ID", ""), environ.get("AWS_SECRET_ACCESS_KEY", "")
    if bool(key) != bool(secret):
        msg = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both, or neither for public buckets"
        raise ValueError(msg)
    return ObjectStore(place, buckets, region, key, secret, environ.get("AWS_SESSION_TOKEN", ""))


def _bucket(text: str) -> str:
    if not _BUCKET.fullmatch(text):
        msg = f"{text!r} is not the name of a bucket"
        raise ValueError(msg)
    return text


def _target_of(url: str) -> Target:
    try:
        if len(url) > _MAX_URL or not url.isprintable() or " " in url or "\\" in url:
            raise ValueError(url)
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        if scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
            raise ValueError(url)
    except ValueError as error:
        msg = f"{url[:80]!r} is not a web address such as https://example.org/scene.tif"
        raise RemoteFault(msg) from error
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme, host, port or _PORTS[scheme], path)
