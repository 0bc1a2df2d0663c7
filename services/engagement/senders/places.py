"""Where a webhook may go: resolved once, and only to public addresses unless allow-listed."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_PORTS = {"http": 80, "https": 443}


class BadPlace(Exception):
    """A URL that cannot be, or may not be, called."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. Raises nothing: see `target`."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def target(url: str) -> Target:
    """Raises BadPlace for anything but a plain http(s) URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadPlace(str(error)) from error
    _refuse_odd(parts, url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname or "", port or _PORTS[parts.scheme], path)


def _refuse_odd(parts: SplitResult, url: str) -> None:
    if parts.scheme not in _PORTS:
        raise BadPlace("must begin with https:// or http://")
    if not parts.hostname:
        raise BadPlace("names no host")
    if parts.username is not None or parts.password is not None:
        raise BadPlace("may not hold a user name or password")
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        raise BadPlace("may not hold spaces or control characters")
    if not url.isascii():
        raise BadPlace("must be ASCII; write international names in their xn-- form")


class Places:
    """`allow`: host names, addresses and networks that are fine although not public."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._hosts = {each.lower() for each in allow}
        self._networks = [network for each in allow if (network := _network(each)) is not None]

    async def resolve(self, host: str, port: int) -> str:
        """The one address to connect to. Raises BadPlace if any address of the host may not be
        called, OSError if it cannot be resolved."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses:
            raise BadPlace(f"{host} has no address")
        if host.lower() not in self._hosts:
            for address in addresses:
                self._check(address)
        return addresses[0]

    def check_literal(self, host: str) -> None:
        """Refuse, without resolving anything, a host that is itself a forbidden address."""
        if host.lower() not in self._hosts and _address(host) is not None:
            self._check(host)

    def _check(self, text: str) -> None:
        address = _address(text)
        if address is None:
            raise BadPlace(f"{text} is no address")
        inner = _unwrapped(address)
        if any(each.version == inner.version and inner in each for each in self._networks):
            return
        if not inner.is_global or inner.is_multicast or inner.is_reserved:
            raise BadPlace(f"{text} is not a public address (see ZHIYIN_WEBHOOK_ALLOW)")


def _unwrapped(address: _Address) -> _Address:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 one: it is what gets called."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    return address


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
