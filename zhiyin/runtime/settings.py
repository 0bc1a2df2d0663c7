"""What a service is told from outside. The only place that reads the environment."""

import os
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from zhiyin.contracts.retention import Limits, limits_in
from zhiyin.runtime import env
from zhiyin.runtime.env import SettingsError, required

SHORTEST_SECRET: Final = 16
_FEW_CORES: Final = 2
LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical")


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
    lanes: int = 2
    batch_records: int = 4_000
    log_level: str = "info"
    log_retention_days: int = 7
    trace_ratio: float = 1.0
    otlp_endpoint: str | None = None
    webhook_allow: tuple[str, ...] = ()
    source_trust: tuple[str, ...] = ()
    gift_categories: tuple[str, ...] = ()
    identity_limits: str = ""
    watchdog_seconds: float = 120.0
    session_seconds: float = 30.0
    retention: Limits = {}
    fault: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "ServiceSettings":
        """Read `ZHIYIN_*`. Raises SettingsError naming the variable that is missing or wrong."""
        host, port = env.listen(environ.get("ZHIYIN_LISTEN", "127.0.0.1:0"), "ZHIYIN_LISTEN")
        return cls(
            postgres=env.address(environ, "ZHIYIN_POSTGRES", ("postgres", "postgresql")),
            redis=env.address(environ, "ZHIYIN_REDIS", ("redis", "rediss")),
            secret_key=_secret(environ),
            kafka=env.brokers(environ, "ZHIYIN_KAFKA"),
            instance=environ.get("ZHIYIN_INSTANCE", "local-1"),
            listen_host=host,
            listen_port=port,
            status_listen=_status_listen(environ),
            profile_urls=env.web_addresses(environ, "ZHIYIN_PROFILE_URLS"),
            segmentation_urls=env.web_addresses(environ, "ZHIYIN_SEGMENTATION_URLS"),
            engagement_urls=env.web_addresses(environ, "ZHIYIN_ENGAGEMENT_URLS"),
            timezone=env.timezone(environ, "ZHIYIN_TIMEZONE", "Asia/Shanghai"),
            currency=env.currency(environ, "ZHIYIN_CURRENCY", "CNY"),
            partitions=env.integer(environ, "ZHIYIN_PARTITIONS", 8, 1, 1024),
            lanes=env.integer(environ, "ZHIYIN_LANES", _lanes(), 1, 64),
            batch_records=env.integer(environ, "ZHIYIN_BATCH_RECORDS", 4_000, 1, 10_000),
            log_level=env.one_of(environ, "ZHIYIN_LOG_LEVEL", "info", LOG_LEVELS),
            log_retention_days=env.integer(environ, "ZHIYIN_LOG_RETENTION_DAYS", 7, 1, 3650),
            trace_ratio=env.number(environ, "ZHIYIN_TRACE_RATIO", 1.0, 0.0, 1.0),
            otlp_endpoint=_collector(environ),
            webhook_allow=env.listed(environ, "ZHIYIN_WEBHOOK_ALLOW"),
            source_trust=env.listed(environ, "ZHIYIN_SOURCE_TRUST"),
            gift_categories=env.listed(environ, "ZHIYIN_GIFT_CATEGORIES"),
            identity_limits=environ.get("ZHIYIN_IDENTITY_LIMITS", ""),
            watchdog_seconds=env.number(environ, "ZHIYIN_WATCHDOG_SECONDS", 120.0, 1.0, 86_400.0),
            session_seconds=env.number(environ, "ZHIYIN_SESSION_SECONDS", 30.0, 1.0, 600.0),
            retention=_retention(environ),
            fault=environ.get("ZHIYIN_FAULT") or None,
        )


def environment() -> Mapping[str, str]:
    """The process's environment."""
    return os.environ  # noqa: TID251 - this is the one place


def _retention(environ: Mapping[str, str]) -> Limits:
    try:
        return limits_in(environ.get("ZHIYIN_RETENTION", ""))
    except ValueError as error:
        raise SettingsError(f"ZHIYIN_RETENTION: {error}") from error


def _lanes() -> int:
    """A second batch in flight wants a core of its own: docs/decisions/0002-lanes.md."""
    return 1 if (os.cpu_count() or 1) <= _FEW_CORES else 2


def _secret(environ: Mapping[str, str]) -> str:
    secret = required(environ, "ZHIYIN_SECRET_KEY")
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(f"ZHIYIN_SECRET_KEY needs at least {SHORTEST_SECRET} characters")
    return secret


def _status_listen(environ: Mapping[str, str]) -> tuple[str, int] | None:
    text = environ.get("ZHIYIN_STATUS_LISTEN")
    return env.listen(text, "ZHIYIN_STATUS_LISTEN") if text else None


def _collector(environ: Mapping[str, str]) -> str | None:
    found = env.web_addresses(environ, "OTEL_EXPORTER_OTLP_ENDPOINT")
    return found[0] if found else None
