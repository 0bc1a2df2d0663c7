"""A product runs low: whoever saved it and has not bought it is told, by an event of their own that
campaigns rest on. Looked for in small steps, each a timer that sets the next."""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engagement.domain.favourites import saved_at
from services.engagement.own_events import own_event
from services.engagement.store import people
from zhiyin.contracts.instants import Instant, moment, rfc3339
from zhiyin.contracts.playbooks import StockAlertSpec
from zhiyin.runtime.batch import Connection, Outcome, Outgoing, Timer
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.timers import set_timers

STOCK_TIMER: Final = "stock"
SAVED_ITEM_LOW: Final = "custom.saved_item_low"
_STEP: Final = 200  # people at once
_NAMES: Final = uuid.UUID("6a5c8f0e-2f0b-5f52-9c3e-8d6a1b7e4f21")


class _Alert(Struct, frozen=True):
    """`after`: whom on this partition it has got to."""

    alert_id: str
    sku: str
    left: int
    after: str = ""


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(_Alert).decode


class StockAlerts:
    def __init__(self, db: Database, partitions: int, clock: Clock) -> None:
        self._db = db
        self._partitions = partitions
        self._clock = clock

    async def raise_(self, spec: StockAlertSpec) -> str:
        """Returns the alert's id; sent again nobody is told twice."""
        now = self._clock()
        alert_id = spec.alert_id or f"{spec.sku}-{moment(now).date().isoformat()}"
        alert = _Alert(alert_id, spec.sku, spec.left)
        async with self._db.transaction() as tx:
            await set_timers(tx, [_timer(alert, n, now) for n in range(self._partitions)])
        return alert_id


async def tell_savers(tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
    """One step of each alert."""
    outgoing: list[Outgoing] = []
    for timer in due:
        alert = _unpack(timer.payload)
        ids = await people.people_after(tx, timer.partition, alert.after, _STEP)
        for profile_id, snapshot in (await people.snapshots(tx, ids)).items():
            saved = saved_at(snapshot, alert.sku)
            if saved is not None:
                outgoing.append(_event(alert, profile_id, saved, timer.partition, now))
        if len(ids) == _STEP:
            await set_timers(tx, [_timer(replace(alert, after=ids[-1]), timer.partition, now)])
    return Outcome(outgoing=outgoing)


def _event(
    alert: _Alert, profile_id: str, saved: Instant, partition: int, now: Instant
) -> Outgoing:
    properties = {"sku": alert.sku, "left": alert.left, "saved_at": rfc3339(saved)}
    event_id = uuid.uuid5(_NAMES, f"{alert.alert_id}\0{profile_id}")
    return own_event(
        uuid.uuid5(event_id, str(now)),
        SAVED_ITEM_LOW,
        f"saved-item-low-{event_id}",
        profile_id,
        partition,
        properties,
        now,
    )


def _timer(alert: _Alert, partition: int, due_at: Instant) -> Timer:
    key = f"stock:{alert.alert_id}:{partition}:{alert.after}"
    return Timer(key, partition, due_at, "", STOCK_TIMER, _pack(alert))
