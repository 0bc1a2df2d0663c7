"""What the gateway is told from outside, beyond what every service is."""

from collections.abc import Mapping

from msgspec import Struct

from zhiyin.runtime.settings import ServiceSettings, SettingsError


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
        if len(region) != 2 or not region.isalpha() or not region.isupper():
            raise SettingsError(f"ZHIYIN_PHONE_REGION must be a code such as CN, not {region!r}")
        return cls(
            service=ServiceSettings.from_env(environ),
            rate_limit=_count(environ, "ZHIYIN_RATE_LIMIT", 5000),
            most_in_flight=_count(environ, "ZHIYIN_MOST_IN_FLIGHT", 64),
            phone_region=region,
        )


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise SettingsError(f"{name} must be a whole number from 1 to 1000000, not {text!r}")
    return int(text)
