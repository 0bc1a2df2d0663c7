"""What the gateway is told from outside, beyond what every service is."""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from services.gateway.cors import origins_of
from services.gateway.domain.sessions import Lasting
from services.gateway.oidc_settings import OidcSettings, oidc_settings
from zhiyin.contracts.instants import DAY, MINUTE, Duration, duration
from zhiyin.runtime import env
from zhiyin.runtime.env import SettingsError
from zhiyin.runtime.settings import SHORTEST_SECRET, ServiceSettings

MIB: Final = 2**20
_TOTP: Final = ("required", "optional")
_LONGEST: Final = 30 * DAY


class GatewaySettings(Struct, frozen=True, kw_only=True):
    """What the gateway needs beyond what every service does.

    - `rate_limit`: requests per second and key (`ZHIYIN_RATE_LIMIT`)
    - `profile_rate_limit`: requests per second about one profile, per process
      (`ZHIYIN_PROFILE_RATE_LIMIT`)
    - `most_in_flight`: requests with events being taken in at once, per process
      (`ZHIYIN_MOST_IN_FLIGHT`)
    - `body_room`: bytes that bodies of requests may take at once, per process
      (`ZHIYIN_BODY_ROOM_MB`)
    - `cors_origins`: of web pages that may call (`ZHIYIN_CORS_ORIGINS`)
    - `phone_region`: where a phone number without country code belongs (`ZHIYIN_PHONE_REGION`,
      ISO 3166)
    - `master_keys`: secrets of the vault's later master keys by version (`ZHIYIN_MASTER_KEYS`,
      `2:secret,…`)
    - `lasting`: of sessions (`ZHIYIN_SESSION_IDLE`, `ZHIYIN_SESSION_LENGTH`)
    - `totp_required`: who signs in with a password must have one-time codes (`ZHIYIN_TOTP`)
    - `public_url`: where browsers find the gateway (`ZHIYIN_PUBLIC_URL`)
    - `oidc`: with whom operators may sign in (`ZHIYIN_OIDC_…`)
    """

    service: ServiceSettings
    rate_limit: int = 5000
    profile_rate_limit: int = 100
    most_in_flight: int = 64
    body_room: int = 64 * MIB
    cors_origins: frozenset[str] = frozenset()
    phone_region: str = "CN"
    master_keys: Mapping[int, str] = {}
    lasting: Lasting = Lasting()
    totp_required: bool = True
    public_url: str = ""
    oidc: OidcSettings | None = None

    @property
    def secure(self) -> bool:
        """Whether browsers reach the gateway over TLS."""
        return self.public_url.startswith("https:")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "GatewaySettings":
        """Raises SettingsError naming the variable that is missing or wrong."""
        region = environ.get("ZHIYIN_PHONE_REGION", "CN")
        if not re.fullmatch("[A-Z]{2}", region):
            raise SettingsError(f"ZHIYIN_PHONE_REGION must be a code such as CN, not {region!r}")
        public_url = next(iter(env.web_addresses(environ, "ZHIYIN_PUBLIC_URL")), "")
        return cls(
            service=ServiceSettings.from_env(environ),
            rate_limit=env.integer(environ, "ZHIYIN_RATE_LIMIT", 5000, 1, 1_000_000),
            most_in_flight=env.integer(environ, "ZHIYIN_MOST_IN_FLIGHT", 64, 1, 1_000_000),
            profile_rate_limit=env.integer(environ, "ZHIYIN_PROFILE_RATE_LIMIT", 100, 1, 1_000_000),
            body_room=MIB * env.integer(environ, "ZHIYIN_BODY_ROOM_MB", 64, 16, 65_536),
            cors_origins=_origins(environ.get("ZHIYIN_CORS_ORIGINS", "")),
            phone_region=region,
            master_keys=_master_keys(environ.get("ZHIYIN_MASTER_KEYS", "")),
            lasting=_lasting(environ),
            totp_required=env.one_of(environ, "ZHIYIN_TOTP", "required", _TOTP) == "required",
            public_url=public_url,
            oidc=oidc_settings(environ, public_url),
        )


def _origins(text: str) -> frozenset[str]:
    try:
        return origins_of(text)
    except ValueError as error:
        raise SettingsError(f"ZHIYIN_CORS_ORIGINS: {error}") from error


def _lasting(environ: Mapping[str, str]) -> Lasting:
    idle = _duration(environ, "ZHIYIN_SESSION_IDLE", "30m")
    length = _duration(environ, "ZHIYIN_SESSION_LENGTH", "12h")
    usual = Lasting()
    return Lasting(min(usual.access, idle, length), idle, length)


def _duration(environ: Mapping[str, str], name: str, default: str) -> Duration:
    text = environ.get(name) or default
    try:
        found = duration(text)
    except ValueError as error:
        raise SettingsError(f"{name}: {error}") from error
    if not MINUTE <= found <= _LONGEST:
        raise SettingsError(f"{name} must be from 1m to 30d, not {text!r}")
    return found


def _master_keys(text: str) -> Mapping[int, str]:
    """`2:a long secret,3:another`. No message shows any of it."""
    found: dict[int, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        version, _, secret = part.partition(":")
        fit = version.isascii() and version.isdecimal() and 2 <= int(version[:9]) <= 1_000_000
        if not fit or len(secret) < SHORTEST_SECRET or int(version) in found:
            raise SettingsError(
                "ZHIYIN_MASTER_KEYS must be `2:secret,3:secret`: versions from 2 on, each once, "
                f"with secrets of at least {SHORTEST_SECRET} characters and no comma"
            )
        found[int(version)] = secret
    return found
