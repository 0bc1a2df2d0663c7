"""Channels, message templates, pressure: how, in what words and how often people are reached."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from zhiyin.contracts.segments import Key

ChannelKind = Literal[
    "webhook",
    "smtp",
    "aliyun_sms",
    "wechat_subscribe",
    "wechat_template",
    "wecom",
    "inbox",
    "log",
]
# What is answered to a text message by whoever wants no more of them.
STOP_WORDS: Final = ("TD", "T", "N", "TD退订", "退订", "拒收", "STOP")
_Secret = Annotated[str, Meta(min_length=1, max_length=200)]
_Name = Annotated[str, Meta(min_length=1, max_length=128)]
_Url = Annotated[str, Meta(min_length=1, max_length=2000)]
_AtOnce = Annotated[int, Meta(ge=1, le=64)]


class ChannelSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How a channel name is served. `config` by kind: `WebhookConfig`, `SmtpConfig`,
    `AliyunSmsConfig`, `WechatConfig` (both kinds), `WecomConfig`, `InboxConfig`; `log` has none.
    A secret that is left out when a channel is configured anew stays what it was."""

    kind: ChannelKind
    config: dict[str, Any] = {}


class WebhookConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`secret` is a Standard Webhooks secret (`whsec_…`); one is made when it is left out.
    `concurrency` bounds the requests under way to this destination, per process."""

    url: _Url
    secret: _Secret | None = None
    concurrency: _AtOnce = 8


class SmtpConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`security`: `tls` from the first byte, `starttls`, or `none` (local relays only). `secret`
    (`whsec_…`) signs what the relay reports back; one is made when it is left out."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    sender: Annotated[str, Meta(min_length=3, max_length=320)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    username: str | None = None
    password: str | None = None
    security: Literal["tls", "starttls", "none"] = "starttls"
    concurrency: _AtOnce = 4
    reply_to: Annotated[str, Meta(min_length=3, max_length=320)] | None = None
    secret: _Secret | None = None


class AliyunSmsConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Alibaba Cloud SMS. `sign_name` as approved there, without brackets; the template codes are
    the message templates'. `callback_token` is part of the address reports come to; one is made
    when it is left out. `stop_words`: replies that mean: no more of this."""

    access_key_id: _Name
    sign_name: Annotated[str, Meta(min_length=2, max_length=40)]
    access_key_secret: _Secret | None = None
    endpoint: _Url = "https://dysmsapi.aliyuncs.com"
    callback_token: _Secret | None = None
    stop_words: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=20)]], Meta(min_length=1, max_length=50)
    ] = field(default_factory=lambda: list(STOP_WORDS))
    concurrency: _AtOnce = 16


class WechatConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """A mini-program (`wechat_subscribe`) or official account (`wechat_template`). `token` and
    `encoding_aes_key` as set there for messages pushed to us; the key only in its safe mode."""

    app_id: _Name
    app_secret: _Secret | None = None
    token: Annotated[str, Meta(min_length=3, max_length=32)] | None = None
    encoding_aes_key: Annotated[str, Meta(pattern="^[A-Za-z0-9]{43}$")] | None = None
    miniprogram_state: Literal["formal", "trial", "developer"] = "formal"
    api: _Url = "https://api.weixin.qq.com"
    concurrency: _AtOnce = 8


class WecomConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Either a group robot (`robot_key`), or an app (`corp_id`, `agent_id`, `app_secret`) that
    writes to members: those of `to` (`zhang|li`, `@all`), or the one whose user id stands in the
    person's attribute `to_attribute`. `per_minute`: robots take 20."""

    robot_key: _Secret | None = None
    corp_id: _Name | None = None
    agent_id: Annotated[int, Meta(ge=1)] | None = None
    app_secret: _Secret | None = None
    to: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    to_attribute: _Name | None = None
    format: Literal["text", "markdown"] = "text"
    api: _Url = "https://qyapi.weixin.qq.com"
    per_minute: Annotated[int, Meta(ge=1, le=6000)] | None = None
    concurrency: _AtOnce = 4


class InboxConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Messages lie in the person's inbox for `keep`, to be fetched by the app."""

    keep: Annotated[str, Meta(min_length=2, max_length=32)] = "30d"


Language = Literal["zh", "en"]
_Params = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=64)], str], Meta(max_length=30)
]


class TemplateVariant(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Other words for a channel (its name, or its medium such as `sms`), a language, or both. What
    is left out is the template's own."""

    channel: Key | None = None
    language: Language | None = None
    subject: Annotated[str, Meta(max_length=500)] | None = None
    body: Annotated[str, Meta(min_length=1, max_length=20_000)] | None = None
    html: Annotated[str, Meta(max_length=100_000)] | None = None
    template_id: Annotated[str, Meta(max_length=128)] | None = None
    params: _Params | None = None
    page: Annotated[str, Meta(max_length=1024)] | None = None


class MessageTemplateSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Liquid texts; a value that is missing when rendering is reported with the action.

    `language` is what these words are in; a person whose attribute `language` says otherwise gets
    the variant in theirs. Providers that know their texts beforehand (SMS, WeChat) are sent
    `template_id` with `params` (Liquid too), WeChat also the `page` that opens. `html`: for e-mail,
    beside `body`. `track`: links are counted (where the platform has a public address).
    """

    body: Annotated[str, Meta(min_length=1, max_length=20_000)]
    subject: Annotated[str, Meta(max_length=500)] = ""
    name: Annotated[str, Meta(max_length=200)] = ""
    language: Language = "zh"
    html: Annotated[str, Meta(max_length=100_000)] = ""
    template_id: Annotated[str, Meta(max_length=128)] = ""
    params: _Params = {}
    page: Annotated[str, Meta(max_length=1024)] = ""
    track: bool = True
    variants: Annotated[list[TemplateVariant], Meta(max_length=40)] = []


class TaskDeed(Struct, frozen=True, forbid_unknown_fields=True):
    """Who does something to a task, what they say of it, and (when done) what came of it."""

    by: Annotated[str, Meta(min_length=1, max_length=128)]
    note: Annotated[str, Meta(max_length=2000)] = ""
    outcome: Annotated[str, Meta(max_length=64)] = ""
