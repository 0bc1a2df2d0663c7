"""Channels, message templates, pressure: how, in what words and how often people are reached."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from zhiyin.contracts.segments import Key

ChannelKind = Literal["webhook", "smtp", "aliyun_sms", "wechat_subscribe", "wecom", "log"]


class ChannelSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How a channel name is served. `config` by kind: `WebhookConfig`, `SmtpConfig`; else none."""

    kind: ChannelKind
    config: dict[str, Any] = {}


class WebhookConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`secret` is a Standard Webhooks secret (`whsec_…`); one is made when it is left out.
    `concurrency` bounds the requests under way to this destination, per process."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    secret: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 8


class SmtpConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`security`: `tls` from the first byte, `starttls`, or `none` (local relays only)."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    sender: Annotated[str, Meta(min_length=3, max_length=320)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    username: str | None = None
    password: str | None = None
    security: Literal["tls", "starttls", "none"] = "starttls"
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 4


class CapSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `max` marketing messages in any window of length `per`; on one channel, or on all."""

    per: Annotated[str, Meta(min_length=2, max_length=32)]
    max: Annotated[int, Meta(ge=0, le=1000)]
    channel: Key | None = None


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True):
    """Local times `HH:MM` in the platform's time zone; `from` later than `to` spans midnight."""

    from_: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")] = field(name="from")
    to: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class PressureSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one person may be addressed. `quiet_hours` null: none."""

    caps: Annotated[list[CapSpec], Meta(max_length=20)] = []
    quiet_hours: QuietHours | None = None


class MessageTemplateSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Liquid texts; a value that is missing when rendering is reported with the action."""

    body: Annotated[str, Meta(min_length=1, max_length=20_000)]
    subject: Annotated[str, Meta(max_length=500)] = ""
    name: Annotated[str, Meta(max_length=200)] = ""


DEFAULT_PRESSURE: Final = PressureSpec(
    caps=[CapSpec("P7D", 3), CapSpec("P1D", 1)], quiet_hours=QuietHours("21:30", "09:00")
)
