"""Templates, channels, coupon templates and pressure: checked, then in force."""

from typing import Any, Final

import msgspec

from services.engagement.channel_settings import ChannelSettings
from services.engagement.domain.coupons import MOST_MONEY, coupon_template
from services.engagement.domain.faults import Faults
from services.engagement.domain.pressure import check_pressure
from services.engagement.domain.templates import message_template
from services.engagement.refusals import no_such, one_fault, refusing
from services.engagement.sealing import Sealer
from services.engagement.senders.places import Places
from services.engagement.store import settings as stored
from services.engagement.store import surveys
from zhiyin.contracts.campaigns import (
    AUTO_CHANNEL,
    ChannelSpec,
    CouponTemplateSpec,
    ExperimentsSpec,
    MessageTemplateSpec,
    PressureSpec,
)
from zhiyin.contracts.surveys import SurveySpec
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

_json: Final = msgspec.json.Encoder().encode


class SettingsEditor:
    def __init__(
        self, db: Database, sealer: Sealer, places: Places, currency: str, clock: Clock
    ) -> None:
        self._db = db
        self._sealer = sealer
        self._channels = ChannelSettings(places)
        self._currency = currency
        self._clock = clock

    async def put_template(self, key: str, spec: MessageTemplateSpec) -> None:
        """Raises Problem (422) when a text is not Liquid."""
        with refusing():
            message_template(key, spec)
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await stored.save_template(tx, key, spec, self._clock())

    async def add_coupon_template(self, spec: CouponTemplateSpec) -> None:
        """Raises Problem: 422, 409 if the key is taken."""
        with refusing():
            coupon_template(spec, self._currency)
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            if not await stored.add_coupon_template(tx, spec, self._clock()):
                raise Problem(409, "coupon_template_exists", f"{spec.key} exists already")

    async def put_coupon_template(self, spec: CouponTemplateSpec) -> None:
        """What is issued from now on; coupons issued already stay as they are. Raises Problem:
        404, 422."""
        with refusing():
            coupon_template(spec, self._currency)
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            if await stored.coupon_template(tx, spec.key) is None:
                raise no_such("coupon template", spec.key)
            if not await stored.change_coupon_template(tx, spec, self._clock()):
                raise one_fault("/budget", "below_issued", "more have been issued already")

    async def put_experiments(self, spec: ExperimentsSpec) -> None:
        """Raises Problem (422)."""
        faults = Faults()
        faults.duration("/window", spec.window)
        for channel, cost in spec.message_costs.items():
            if not (cost.is_finite() and 0 <= cost <= MOST_MONEY):
                faults.add(f"/message_costs/{channel}", "bad_amount", "must be between 0 and 10^12")
        with refusing():
            faults.raise_if_any()
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await stored.save_experiments(tx, spec)

    async def put_survey(self, key: str, spec: SurveySpec) -> None:
        """Raises Problem (422)."""
        faults = Faults()
        faults.duration("/expires", spec.expires)
        seen: set[str] = set()
        for place, reason in enumerate(spec.reasons):
            if reason.key in seen:
                faults.add(f"/reasons/{place}/key", "twice", f"{reason.key} is there already")
            seen.add(reason.key)
        with refusing():
            faults.raise_if_any()
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await surveys.save(tx, key, spec, self._clock())

    async def put_pressure(self, spec: PressureSpec) -> None:
        faults = Faults()
        check_pressure(spec, faults)
        with refusing():
            faults.raise_if_any()
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await stored.save_pressure(tx, spec)

    async def put_channel(self, name: str, spec: ChannelSpec) -> dict[str, str]:
        """Returns the secrets that were made: they are told once. Raises Problem (422)."""
        if name == AUTO_CHANNEL:
            raise one_fault("", "reserved", "auto stands for the best channel of each person")
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            before = self._before(await stored.channels(tx), name, spec.kind)
            with refusing():
                config, made = self._channels.checked(spec, before)
            sealed = self._sealer.seal(_json(config), name)
            await stored.save_channel(tx, name, spec, sealed, self._clock())
        return made

    def _before(
        self, channels: list[stored.StoredChannel], name: str, kind: str
    ) -> dict[str, Any] | None:
        """What it is configured as, if it is of that kind."""
        for channel in channels:
            if channel.name == name and channel.kind == kind:
                return msgspec.json.decode(
                    self._sealer.open(channel.config, name), type=dict[str, Any]
                )
        return None
