"""Settings only engagement has."""

from collections.abc import Mapping

from msgspec import Struct

from zhiyin.runtime import env
from zhiyin.runtime.settings import ServiceSettings


class EngagementSettings(Struct, frozen=True, kw_only=True):
    """`gateway_urls`: where clear e-mail addresses are asked for when one is to be used."""

    service: ServiceSettings
    gateway_urls: tuple[str, ...] = ()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "EngagementSettings":
        """Read `ZHIYIN_*`. Raises SettingsError."""
        return cls(
            service=ServiceSettings.from_env(environ),
            gateway_urls=env.web_addresses(environ, "ZHIYIN_GATEWAY_URLS"),
        )
