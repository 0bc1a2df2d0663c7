"""The channel of kind `inbox`: laid down here, to be fetched by the person's app."""

import msgspec

from services.engagement.domain.channels import Channel
from services.engagement.senders.parcel import Attempt, Parcel, Sent
from services.engagement.store import inbox
from zhiyin.contracts.channels import InboxConfig
from zhiyin.contracts.instants import duration
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

_config = msgspec.json.Decoder(InboxConfig).decode


class InboxSender:
    longest = 10.0

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        expires_at = self._clock() + duration(_config(channel.config).keep)
        async with self._db.transaction() as tx:
            await inbox.lay(tx, parcel.action_id, expires_at)
        return Sent()
