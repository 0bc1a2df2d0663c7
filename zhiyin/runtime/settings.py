"""What a service is told from outside. The only place that reads the environment."""

import os
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

_SHORTEST_SECRET: Final = 16


class SettingsError(Exception):
    """A setting is missing or wrong; its text is one line saying what to do."""


class ServiceSettings(Struct, frozen=True, kw_only=True):
    """Settings every service shares. Times are in seconds."""

    postgres: str
    redis: str
    secret_key: str
    kafka: str | None = None
    instance: str = "local-1"
    listen_host: str = "127.0.0.1"
    listen_port: int = 0
    status_listen: tuple[str, int] | None = None
    """A second address for the same app. Processes that share their port (gateways) can each be
    asked there how they are."""
    profile_urls: tuple[str, ...] = ()
    segmentation_urls: tuple[str, ...] = ()
    engagement_urls: tuple[str, ...] = ()
    timezone: str = "Asia/Shanghai"
    currency: str = "CNY"
    partitions: int = 8
    lanes: int = 4
    batch_records: int = 4_000
    log_level: str = "info"
    log_retention_days: int = 7
    trace_ratio: float = 1.0
    otlp_endpoint: str | None = None
    webhook_allow: tuple[str, ...] = ()
    source_trust: tuple[str, ...] = ()
    gift_categories: tuple[str, ...] = ()
    watchdog_seconds: float = 120.0
    session_seconds: float = 30.0
    fault: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "ServiceSettings":
        """Read `ZHIYIN_*`. Raises SettingsError naming the variable that is missing or wrong."""
        host, port = _listen(environ.get("ZHIYIN_LISTEN", "127.0.0.1:0"))
        return cls(
            postgres=_required(environ, "ZHIYIN_POSTGRES"),
            redis=_required(environ, "ZHIYIN_REDIS"),
            secret_key=_secret(environ),
            kafka=environ.get("ZHIYIN_KAFKA") or None,
            instance=environ.get("ZHIYIN_INSTANCE", "local-1"),
            listen_host=host,
            listen_port=port,
            status_listen=_optional_listen(environ.get("ZHIYIN_STATUS_LISTEN")),
            profile_urls=_list(environ, "ZHIYIN_PROFILE_URLS"),
            segmentation_urls=_list(environ, "ZHIYIN_SEGMENTATION_URLS"),
            engagement_urls=_list(environ, "ZHIYIN_ENGAGEMENT_URLS"),
            timezone=_timezone(environ.get("ZHIYIN_TIMEZONE", "Asia/Shanghai")),
            currency=environ.get("ZHIYIN_CURRENCY", "CNY"),
            partitions=_integer(environ, "ZHIYIN_PARTITIONS", 8, 1, 1024),
            lanes=_integer(environ, "ZHIYIN_LANES", 4, 1, 64),
            batch_records=_integer(environ, "ZHIYIN_BATCH_RECORDS", 4_000, 1, 10_000),
            log_level=environ.get("ZHIYIN_LOG_LEVEL", "info").lower(),
            log_retention_days=_integer(environ, "ZHIYIN_LOG_RETENTION_DAYS", 7, 1, 3650),
            trace_ratio=_number(environ, "ZHIYIN_TRACE_RATIO", 1.0, 0.0, 1.0),
            otlp_endpoint=environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
            webhook_allow=_list(environ, "ZHIYIN_WEBHOOK_ALLOW"),
            source_trust=_list(environ, "ZHIYIN_SOURCE_TRUST"),
            gift_categories=_list(environ, "ZHIYIN_GIFT_CATEGORIES"),
            watchdog_seconds=_number(environ, "ZHIYIN_WATCHDOG_SECONDS", 120.0, 1.0, 86_400.0),
            session_seconds=_number(environ, "ZHIYIN_SESSION_SECONDS", 30.0, 1.0, 600.0),
            fault=environ.get("ZHIYIN_FAULT") or None,
        )


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ  # noqa: TID251 - this is the one place


def _required(environ: Mapping[str, str], name: str) -> str:
    if value := environ.get(name):
        return value
    raise SettingsError(f"{name} is not set; `zhiyin up` sets it, or point it at your own server")


def _secret(environ: Mapping[str, str]) -> str:
    secret = _required(environ, "ZHIYIN_SECRET_KEY")
    if len(secret) < _SHORTEST_SECRET:
        raise SettingsError(f"ZHIYIN_SECRET_KEY needs at least {_SHORTEST_SECRET} characters")
    return secret


def _list(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    parts = (part.strip() for part in environ.get(name, "").split(","))
    return tuple(part for part in parts if part)


def _number(
    environ: Mapping[str, str], name: str, default: float, least: float, most: float
) -> float:
    text = environ.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise SettingsError(f"{name} must be a number from {least:g} to {most:g}, not {text!r}")
    return number


def _integer(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    number = _number(environ, name, default, least, most)
    if number != int(number):
        raise SettingsError(f"{name} must be a whole number, not {number}")
    return int(number)


def _optional_listen(text: str | None) -> tuple[str, int] | None:
    return _listen(text, "ZHIYIN_STATUS_LISTEN") if text else None


def _listen(text: str, name: str = "ZHIYIN_LISTEN") -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise SettingsError(f"{name} must be host:port, not {text!r}")
    return host.strip("[]"), int(port)


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SettingsError(f"ZHIYIN_TIMEZONE {name!r} is not a known time zone") from error
    return name
