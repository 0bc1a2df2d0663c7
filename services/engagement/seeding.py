"""Puts in what is built in, once per database; what operators make of it afterwards stays."""

from services.engagement.domain import builtin
from services.engagement.sealing import Sealer
from services.engagement.store import settings as stored
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.db import Database

_ACTOR = "built-in"


async def seed(db: Database, sealer: Sealer, now: Instant) -> None:
    async with db.transaction() as tx:
        if not await stored.begin_seeding(tx):
            return
        await stored.touch(tx)
        for name in builtin.CHANNELS:
            await stored.save_channel(tx, name, ChannelSpec("log"), sealer.seal(b"{}", name), now)
        for coupon in builtin.COUPONS:
            await stored.add_coupon_template(tx, coupon, now)
        for key, template in builtin.TEMPLATES.items():
            await stored.save_template(tx, key, template, now)
        for campaign in builtin.CAMPAIGNS:
            await stored.save_campaign(tx, campaign, 1, "live", now, _ACTOR)
