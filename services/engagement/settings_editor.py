"""Templates, channels, coupon templates and pressure: checked, then in force."""

import base64
import binascii
import secrets
from typing import Any, Final, TypeVar

import msgspec
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from services.engagement.domain.coupons import coupon_template
from services.engagement.domain.faults import Faults, Faulty
from services.engagement.domain.templates import message_template
from services.engagement.refusals import no_such, one_fault, refused
from services.engagement.sealing import Sealer
from services.engagement.senders.places import BadPlace, Places, target
from services.engagement.store import settings as stored
from zhiyin.contracts.campaigns import (
    AUTO_CHANNEL,
    ChannelSpec,
    CouponTemplateSpec,
    MessageTemplateSpec,
    PressureSpec,
    SmtpConfig,
    WebhookConfig,
)
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.bodies import field_error
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem

T = TypeVar("T")
_SECRET_BYTES: Final = 24
_json: Final = msgspec.json.Encoder().encode


class SettingsEditor:
    def __init__(
        self, db: Database, sealer: Sealer, places: Places, currency: str, clock: Clock
    ) -> None:
        self._db = db
        self._sealer = sealer
        self._places = places
        self._currency = currency
        self._clock = clock

    async def put_template(self, key: str, spec: MessageTemplateSpec) -> None:
        """Raises Problem (422) when a text is not Liquid."""
        try:
            message_template(key, spec)
        except Faulty as error:
            raise refused(error) from error
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await stored.save_template(tx, key, spec, self._clock())

    async def add_coupon_template(self, spec: CouponTemplateSpec) -> None:
        """Raises Problem: 422, 409 if the key is taken."""
        try:
            coupon_template(spec, self._currency)
        except Faulty as error:
            raise refused(error) from error
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            if not await stored.add_coupon_template(tx, spec, self._clock()):
                raise Problem(409, "coupon_template_exists", f"{spec.key} exists already")

    async def put_coupon_template(self, spec: CouponTemplateSpec) -> None:
        """What is issued from now on; coupons issued already stay as they are. Raises Problem:
        404, 422."""
        try:
            coupon_template(spec, self._currency)
        except Faulty as error:
            raise refused(error) from error
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            if await stored.coupon_template(tx, spec.key) is None:
                raise no_such("coupon template", spec.key)
            if not await stored.change_coupon_template(tx, spec, self._clock()):
                raise one_fault("/budget", "below_issued", "more have been issued already")

    async def put_pressure(self, spec: PressureSpec) -> None:
        faults = Faults()
        for index, cap in enumerate(spec.caps):
            faults.duration(f"/caps/{index}/per", cap.per)
        quiet = spec.quiet_hours
        if quiet is not None and quiet.from_ == quiet.to:
            faults.add(
                "/quiet_hours/to", "empty_range", "quiet hours must end when they do not begin"
            )
        try:
            faults.raise_if_any()
        except Faulty as error:
            raise refused(error) from error
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await stored.save_pressure(tx, spec)

    async def put_channel(self, name: str, spec: ChannelSpec) -> str | None:
        """Returns the signing secret if one was made: it is told once. Raises Problem (422)."""
        if name == AUTO_CHANNEL:
            raise one_fault("", "reserved", "auto stands for the best channel of each person")
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            packed, made = await self._configuration(tx, name, spec)
            sealed = self._sealer.seal(packed, name)
            await stored.save_channel(tx, name, spec, sealed, self._clock())
        return made

    async def _configuration(
        self, tx: Connection, name: str, spec: ChannelSpec
    ) -> tuple[bytes, str | None]:
        """The checked configuration, and the signing secret if one had to be made."""
        match spec.kind:
            case "webhook":
                config = self._webhook(spec.config)
                secret = config.secret or self._known_secret(await stored.channels(tx), name)
                made = None if secret else _new_secret()
                return _json(msgspec.structs.replace(config, secret=secret or made)), made
            case "smtp":
                return _json(_smtp(spec.config)), None
            case "log":
                if spec.config:
                    raise one_fault("/config", "not_allowed", "log takes no configuration")
                return b"{}", None
            case "aliyun_sms" | "wechat_subscribe" | "wecom":
                message = f"channels of kind {spec.kind} do not work yet"
                raise one_fault("/kind", "not_yet_supported", message)

    def _webhook(self, given: dict[str, Any]) -> WebhookConfig:
        config = _config(WebhookConfig, given)
        try:
            self._places.check_literal(target(config.url).host)
        except BadPlace as error:
            raise one_fault("/config/url", "refused_url", str(error)) from error
        if config.secret is not None:
            try:
                Webhook(config.secret)
            except (binascii.Error, ValueError, EmptyWebhookSecretError) as error:
                message = "must be whsec_ and Base64"
                raise one_fault("/config/secret", "bad_secret", message) from error
        return config

    def _known_secret(self, channels: list[stored.StoredChannel], name: str) -> str | None:
        """A webhook that is only moved keeps its secret."""
        for channel in channels:
            if channel.name == name and channel.kind == "webhook":
                opened = self._sealer.open(channel.config, name)
                return msgspec.json.decode(opened, type=WebhookConfig).secret
        return None


def _config(type_: type[T], given: dict[str, Any]) -> T:
    try:
        return msgspec.convert(given, type_)
    except msgspec.ValidationError as error:
        found = field_error(str(error))
        wrong = FieldError(f"/config{found.pointer}", found.code, found.message)
        raise Problem(
            422, "invalid", f"{wrong.message} at {wrong.pointer}", errors=[wrong]
        ) from error


def _smtp(given: dict[str, Any]) -> SmtpConfig:
    config = _config(SmtpConfig, given)
    if "@" not in config.sender or any(ord(letter) < 32 for letter in config.sender):
        raise one_fault("/config/sender", "bad_address", "must be an e-mail address")
    if config.password and config.security == "none":
        message = "a password would travel in clear; use tls or starttls"
        raise one_fault("/config/security", "insecure", message)
    return config


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
