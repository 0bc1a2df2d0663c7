"""What operators say of a channel, by kind: checked, secrets kept or made."""

import base64
import binascii
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from services.engagement.domain.faults import Faults
from services.engagement.senders.places import BadPlace, Places, target
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.channels import (
    AliyunSmsConfig,
    InboxConfig,
    SmtpConfig,
    WebhookConfig,
    WechatConfig,
    WecomConfig,
)
from zhiyin.runtime.bodies import field_error

T = TypeVar("T")
Config = dict[str, Any]
# Never shown, in whatever kind of configuration they stand.
SECRETS: Final = frozenset(
    {"secret", "password", "access_key_secret", "callback_token", "app_secret", "token"}
    | {"encoding_aes_key", "robot_key"}
)
# Where a secret is sent in clear: it is not kept for another place, which may be anybody's.
_SENT_TO: Final[Mapping[str, tuple[str, ...]]] = {
    "smtp": ("host", "port", "security"),
    "wechat_subscribe": ("api", "app_id"),
    "wechat_template": ("api", "app_id"),
    "wecom": ("api", "corp_id"),
    "aliyun_sms": ("endpoint", "access_key_id"),
}
_TYPES: Final[Mapping[str, type[Any]]] = {
    "webhook": WebhookConfig,
    "smtp": SmtpConfig,
    "aliyun_sms": AliyunSmsConfig,
    "wechat_subscribe": WechatConfig,
    "wechat_template": WechatConfig,
    "wecom": WecomConfig,
    "inbox": InboxConfig,
}


Known = WebhookConfig | SmtpConfig | AliyunSmsConfig | WechatConfig | WecomConfig | InboxConfig


class ChannelSettings:
    def __init__(self, places: Places) -> None:
        self._places = places

    def checked(self, spec: ChannelSpec, before: Config | None) -> tuple[Config, dict[str, str]]:
        """The configuration to keep, and the secrets that had to be made. `before`: the one there
        is, if it is of the same kind. Raises Faulty."""
        faults = Faults()
        if spec.kind == "log":
            if spec.config:
                faults.add("/config", "not_allowed", "log takes no configuration")
            faults.raise_if_any()
            return {}, {}
        given = _with_kept(spec, before)
        made = {
            name: make() for name, make in _MADE.get(spec.kind, {}).items() if not given.get(name)
        }
        config = _converted(_TYPES[spec.kind], {**given, **made})
        self._check(config, faults)
        faults.raise_if_any()
        return msgspec.to_builtins(config), made

    def _check(self, config: Known, faults: Faults) -> None:
        match config:
            case WebhookConfig():
                self._place("url", config.url, faults)
                _standard_secret(config.secret, faults)
            case SmtpConfig():
                _smtp(config, faults)
                _standard_secret(config.secret, faults)
            case AliyunSmsConfig():
                self._place("endpoint", config.endpoint, faults)
                _needed("access_key_secret", config.access_key_secret, faults)
            case WechatConfig():
                self._place("api", config.api, faults)
                _needed("app_secret", config.app_secret, faults)
                if config.encoding_aes_key and not config.token:
                    _needed("token", None, faults)
            case WecomConfig():
                self._place("api", config.api, faults)
                _wecom(config, faults)
            case InboxConfig():
                faults.duration("/config/keep", config.keep)

    def _place(self, name: str, url: str, faults: Faults) -> None:
        try:
            self._places.check_literal(target(url).host)
        except BadPlace as error:
            faults.add(f"/config/{name}", "refused_url", str(error))


def _with_kept(spec: ChannelSpec, before: Config | None) -> Config:
    given = dict(spec.config)
    if before is None:
        return given
    defaults = {
        field.encode_name: field.default for field in msgspec.structs.fields(_TYPES[spec.kind])
    }
    moved = any(
        given.get(name, defaults.get(name)) != before.get(name)
        for name in _SENT_TO.get(spec.kind, ())
    )
    kept = {name: before[name] for name in SECRETS if before.get(name)}
    if moved:
        kept = {name: value for name, value in kept.items() if name in _MADE.get(spec.kind, {})}
    return {**kept, **given}


def _converted(type_: type[T], given: Config) -> T:
    try:
        return msgspec.convert(given, type_)
    except msgspec.ValidationError as error:
        found, faults = field_error(str(error)), Faults()
        faults.add(f"/config{found.pointer}", found.code, found.message)
        faults.raise_if_any()
        raise AssertionError("a configuration that cannot be is refused") from error


def _needed(name: str, value: str | None, faults: Faults) -> None:
    if not value:
        faults.add(f"/config/{name}", "required", f"needs {name}")


def _standard_secret(secret: str | None, faults: Faults) -> None:
    try:
        Webhook(secret or "")
    except (binascii.Error, ValueError, RuntimeError, EmptyWebhookSecretError):
        faults.add("/config/secret", "bad_secret", "must be whsec_ and Base64")


def _smtp(config: SmtpConfig, faults: Faults) -> None:
    for name, address in (("sender", config.sender), ("reply_to", config.reply_to)):
        if address is not None and (
            "@" not in address or any(ord(letter) < 32 for letter in address)
        ):
            faults.add(f"/config/{name}", "bad_address", "must be an e-mail address")
    if config.password and config.security == "none":
        message = "a password would travel in clear; use tls or starttls"
        faults.add("/config/security", "insecure", message)


def _wecom(config: WecomConfig, faults: Faults) -> None:
    app = (config.corp_id, config.agent_id, config.app_secret)
    if config.robot_key is not None:
        if any(app):
            faults.add("/config", "one_kind", "either a robot_key or an app, not both")
        return
    for name, value in zip(("corp_id", "agent_id", "app_secret"), app, strict=True):
        if not value:
            message = f"needs {name}, or the robot_key of a group robot"
            faults.add(f"/config/{name}", "required", message)
    if config.to is None and config.to_attribute is None:
        faults.add("/config/to", "required", "needs to, or to_attribute: who is written to")


def _whsec() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def _token() -> str:
    return secrets.token_urlsafe(24)


_MADE: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "webhook": {"secret": _whsec},
    "smtp": {"secret": _whsec},
    "aliyun_sms": {"callback_token": _token},
}
