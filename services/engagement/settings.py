"""Settings only engagement has."""

from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec
from msgspec import Struct

from zhiyin.runtime import env
from zhiyin.runtime.settings import ServiceSettings

Approval = Literal["optional", "required", "separate"]
_APPROVALS: Final = get_args(Approval)


class EngagementSettings(Struct, frozen=True, kw_only=True):
    """`gateway_urls`: where clear e-mail addresses are asked for when one is to be used, and which
    segments and tags there are; `approval`: see `Editor`."""

    service: ServiceSettings
    gateway_urls: tuple[str, ...] = ()
    public_url: str | None = None
    approval: Approval = "optional"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "EngagementSettings":
        """Read `ZHIYIN_*`. Raises SettingsError."""
        return cls(
            service=ServiceSettings.from_env(environ),
            approval=msgspec.convert(
                env.one_of(environ, "ZHIYIN_CAMPAIGN_APPROVAL", "optional", _APPROVALS), Approval
            ),
            gateway_urls=env.web_addresses(environ, "ZHIYIN_GATEWAY_URLS"),
            public_url=next(iter(env.web_addresses(environ, "ZHIYIN_PUBLIC_URL")), None),
        )
