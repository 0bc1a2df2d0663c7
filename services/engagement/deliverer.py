"""Delivers what was decided: claims what is due, channel by channel, and has it handed over."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from services.engagement.catalogs import Catalogs
from services.engagement.domain.breaker import Breaker
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.channels import Channel
from services.engagement.handover import Handover
from services.engagement.senders.parcel import Attempt, Failed, Rests, Retry, Sent
from services.engagement.store import deliveries, people
from services.engagement.store.deliveries import Claimed
from zhiyin.contracts.instants import SECOND, Duration, Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES

_log = structlog.get_logger(__name__)
# Beyond the longest attempt of a channel's sender; after both somebody else may try.
_LEEWAY: Final[Duration] = 10 * SECOND
_AT_ONCE: Final = 64  # parcels claimed together
_LOG_CONCURRENCY: Final = 256
_POLL_SECONDS: Final = 0.5
_OUTAGE_SECONDS: Final = 1.0
_FAREWELL_SECONDS: Final = 25.0


class _Concurrency(msgspec.Struct):
    concurrency: int = _LOG_CONCURRENCY


_concurrency: Final = msgspec.json.Decoder(_Concurrency).decode


@dataclass(slots=True)
class Destination:
    """One channel's share: a dead one takes none of the others'."""

    breaker: Breaker = field(default_factory=Breaker)
    busy: int = 0

    def learn(self, attempt: Attempt, now: Instant) -> None:
        match attempt:
            case Sent() | Failed():
                self.breaker.succeeded()
            case Rests(until=until):
                self.breaker.rests(until)
            case Retry(after=after, ailing=True):
                self.breaker.failed(now)
                if after is not None:
                    self.breaker.asked_to_wait(now, after)
            case Retry():
                pass


class Deliverer:
    """`owned`: the partitions this process holds. Leases make it safe to be wrong about that."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        handover: Handover,
        owned: Callable[[], Collection[int]],
        clock: Clock,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._handover = handover
        self._owned = owned
        self._clock = clock
        self._awake = asyncio.Event()
        self._stopping = False
        self._destinations: dict[str, Destination] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """There may be something to deliver."""
        self._awake.set()

    async def stop(self) -> None:
        """Begin nothing more; `run` returns when what is under way has ended."""
        self._stopping = True
        self._awake.set()

    async def run(self) -> None:
        while not self._stopping:
            self._awake.clear()
            try:
                await self._handover.settle_sent()
                await self._begin()
            except Exception as error:  # noqa: BLE001 - told; what is due stays due
                log = _log.warning if isinstance(error, OUTAGES) else _log.error
                log("delivery_waits", error=repr(error), exc_info=error)
                await asyncio.sleep(_OUTAGE_SECONDS)
            await self._rest()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_FAREWELL_SECONDS)
        await self._handover.settle_sent()

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._awake.wait()
        except TimeoutError:
            return

    async def _begin(self) -> None:
        owned = self._owned()
        if not owned:
            return
        async with self._db.transaction() as tx:
            waiting = await deliveries.waiting(tx, owned)
            catalog = await self._catalogs.current(tx)
        for name in waiting:
            channel = catalog.channels.get(name, Channel(name, "", disabled="no such channel"))
            await self._claim(channel, catalog, owned)

    async def _claim(self, channel: Channel, catalog: Catalog, owned: Collection[int]) -> None:
        destination = self._destinations.setdefault(channel.name, Destination())
        room = destination.breaker.allowance(
            self._clock(), _concurrency(channel.config).concurrency, destination.busy
        )
        if room == 0:
            return
        lease = _LEEWAY + round(self._handover.longest(channel.kind) * SECOND)
        async with self._db.transaction() as tx:
            claimed = await deliveries.claim(tx, channel.name, owned, min(room, _AT_ONCE), lease)
            snapshots = await people.snapshots(tx, {each.profile_id for each in claimed})
        for each in claimed:
            destination.busy += 1
            task = asyncio.create_task(
                self._deliver(each, channel, destination, catalog, snapshots.get(each.profile_id))
            )
            self._tasks.add(task)
            task.add_done_callback(self._ended)
        if len(claimed) == _AT_ONCE:
            self._awake.set()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A bug in one delivery is told, and takes none of the others down."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("delivery_broke", exc_info=error)

    async def _deliver(
        self,
        claimed: Claimed,
        channel: Channel,
        destination: Destination,
        catalog: Catalog,
        person: Snapshot | None,
    ) -> None:
        try:
            attempt = await self._handover.attempt(claimed, channel, catalog, person)
            if attempt is not None:
                destination.learn(attempt, self._clock())
                await self._handover.conclude(claimed, channel, attempt)
        except OUTAGES as error:
            # The lease returns the parcel.
            _log.warning("delivery_interrupted", error=repr(error), action_id=claimed.action_id.hex)
        finally:
            destination.busy -= 1
            self._awake.set()
