"""How the text of an environment variable becomes a setting, or one line saying what it must be.

An address may hold a password, so that it is never repeated in what is said."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Environ = Mapping[str, str]


class SettingsError(Exception):
    """A setting is missing or wrong; its text is one line saying what to do."""


def required(environ: Environ, name: str) -> str:
    if value := environ.get(name):
        return value
    raise SettingsError(f"{name} is not set; `zhiyin up` sets it, or point it at your own server")


def listed(environ: Environ, name: str) -> tuple[str, ...]:
    """The parts of a comma-separated list that are not empty."""
    parts = (part.strip() for part in environ.get(name, "").split(","))
    return tuple(part for part in parts if part)


def number(environ: Environ, name: str, default: float, least: float, most: float) -> float:
    text = environ.get(name, "")
    try:
        given = float(text) if text else default
    except ValueError:
        given = float("nan")
    if not least <= given <= most:
        raise SettingsError(f"{name} must be a number from {least:g} to {most:g}, not {text!r}")
    return given


def integer(environ: Environ, name: str, default: int, least: int, most: int) -> int:
    given = number(environ, name, default, least, most)
    if given != int(given):
        raise SettingsError(f"{name} must be a whole number, not {given}")
    return int(given)


def one_of(environ: Environ, name: str, default: str, known: Collection[str]) -> str:
    text = environ.get(name) or default
    if text.lower() not in known:
        raise SettingsError(f"{name} must be one of {', '.join(known)}, not {text!r}")
    return text.lower()


def address(environ: Environ, name: str, schemes: Collection[str]) -> str:
    """A URL of one of these schemes with a sound port, if any."""
    text = required(environ, name)
    if not _is_url(text, schemes):
        raise SettingsError(f"{name} must be an address such as {min(schemes)}://host:port")
    return text


def web_addresses(environ: Environ, name: str) -> tuple[str, ...]:
    """Comma-separated base URLs, without the slash at their end."""
    found = listed(environ, name)
    if not all(_is_url(each, ("http", "https")) for each in found):
        raise SettingsError(f"{name} takes addresses such as http://host:port, comma separated")
    return tuple(each.rstrip("/") for each in found)


def brokers(environ: Environ, name: str) -> str | None:
    """`host:port`, comma separated."""
    found = listed(environ, name)
    if not all(is_host_and_port(each) for each in found):
        raise SettingsError(f"{name} must be host:port, comma separated")
    return ",".join(found) or None


def listen(text: str, name: str) -> tuple[str, int]:
    """Where to listen; port 0 is one the system chooses."""
    host, _, port = text.rpartition(":")
    if not host or not _is_port(port):
        raise SettingsError(f"{name} must be host:port, not {text!r}")
    return host.strip("[]"), int(port)


def timezone(environ: Environ, name: str, default: str) -> str:
    text = environ.get(name) or default
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"{name} {text!r} is not a known time zone") from error
    return text


def currency(environ: Environ, name: str, default: str) -> str:
    """An ISO 4217 code."""
    text = environ.get(name) or default
    if not re.fullmatch("[A-Z]{3}", text):
        raise SettingsError(f"{name} must be a code such as CNY, not {text!r}")
    return text


def is_host_and_port(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and _is_port(port) and int(port) > 0


def _is_port(text: str) -> bool:
    return re.fullmatch("[0-9]{1,5}", text) is not None and int(text) <= 65_535


def _is_url(text: str, schemes: Collection[str]) -> bool:
    """PostgreSQL's may name several hosts (`a:5432,b:5432`), or none: a socket is in its query."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2].split(",")
    ports = [host.rpartition(":")[2] for host in hosts if ":" in host.rpartition("]")[2]]
    return parts.scheme in schemes and all(map(_is_port, ports)) and "\0" not in text
