"""What the gateway is told from outside, beyond what every service is."""

import re
from collections.abc import Mapping

from msgspec import Struct

from zhiyin.runtime import env
from zhiyin.runtime.env import SettingsError
from zhiyin.runtime.settings import ServiceSettings


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """`rate_limit`: requests per second and key (`ZHIYIN_RATE_LIMIT`); `most_in_flight`: requests
    with events being taken in at once, per process (`ZHIYIN_MOST_IN_FLIGHT`); `phone_region`: where
    a phone number without country code belongs (`ZHIYIN_PHONE_REGION`, ISO 3166)."""

    service: ServiceSettings
    rate_limit: int = 5000
    most_in_flight: int = 64
    phone_region: str = "CN"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "GatewaySettings":
        """Raises SettingsError naming the variable that is missing or wrong."""
        region = environ.get("ZHIYIN_PHONE_REGION", "CN")
        if not re.fullmatch("[A-Z]{2}", region):
            raise SettingsError(f"ZHIYIN_PHONE_REGION must be a code such as CN, not {region!r}")
        return cls(
            service=ServiceSettings.from_env(environ),
            rate_limit=env.integer(environ, "ZHIYIN_RATE_LIMIT", 5000, 1, 1_000_000),
            most_in_flight=env.integer(environ, "ZHIYIN_MOST_IN_FLIGHT", 64, 1, 1_000_000),
            phone_region=region,
        )
