"""Delivers what was decided: claims what is due, sends outside of any transaction, settles."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
import structlog

from services.engagement.catalogs import Catalogs
from services.engagement.domain.allowed import PAUSED, UNKNOWN, hindrance
from services.engagement.domain.breaker import Breaker
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.channels import Channel
from services.engagement.domain.delivery import MAX_AGE, retry_after
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Retry, Sender, Sent
from services.engagement.store import deliveries, people, settings
from services.engagement.store.deliveries import Claimed
from zhiyin.contracts.instants import SECOND, Duration
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts.reach import address
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES
from zhiyin.runtime.telemetry import Telemetry

_log = structlog.get_logger(__name__)
# Beyond the longest attempt of a channel's sender; after both somebody else may try.
_LEEWAY: Final[Duration] = 10 * SECOND
_AT_ONCE: Final = 64  # parcels claimed together
_LOG_CONCURRENCY: Final = 256
_POLL_SECONDS: Final = 0.5
_OUTAGE_SECONDS: Final = 1.0
_FAREWELL_SECONDS: Final = 25.0
_PAUSE: Final[Duration] = 5 * SECOND


class _Concurrency(msgspec.Struct):
    concurrency: int = _LOG_CONCURRENCY


_concurrency: Final = msgspec.json.Decoder(_Concurrency).decode


@dataclass(slots=True)
class Destination:
    """One channel's share: a dead one takes none of the others'."""

    breaker: Breaker = field(default_factory=Breaker)
    busy: int = 0


class Deliverer:
    """`owned`: the partitions this process holds. Leases make it safe to be wrong about that."""

    def __init__(
        self,
        db: Database,
        catalogs: Catalogs,
        senders: Mapping[str, Sender],
        owned: Callable[[], Collection[int]],
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._senders = senders
        self._owned = owned
        self._clock = clock
        self._telemetry = telemetry
        self._awake = asyncio.Event()
        self._stopping = False
        self._destinations: dict[str, Destination] = {}
        self._sent: list[Claimed] = []
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
                await self._settle_sent()
                await self._begin()
            except Exception as error:  # noqa: BLE001 - told; what is due stays due
                log = _log.warning if isinstance(error, OUTAGES) else _log.error
                log("delivery_waits", error=repr(error), exc_info=error)
                await asyncio.sleep(_OUTAGE_SECONDS)
            await self._rest()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_FAREWELL_SECONDS)
        await self._settle_sent()

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
        sender = self._senders.get(channel.kind)
        lease = _LEEWAY + (round(sender.longest * SECOND) if sender else 0)
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
            if not await self._hindered(claimed, channel, catalog, person):
                attempt = await self._attempt(claimed, channel, person)
                self._learn(destination.breaker, attempt)
                await self._conclude(claimed, channel, attempt)
        except OUTAGES as error:
            # The lease returns the parcel.
            _log.warning("delivery_interrupted", error=repr(error), action_id=claimed.action_id.hex)
        finally:
            destination.busy -= 1
            self._awake.set()

    async def _attempt(
        self, claimed: Claimed, channel: Channel, person: Snapshot | None
    ) -> Attempt:
        with self._telemetry.span(f"deliver {channel.kind}", claimed.traceparent or None) as trace:
            parcel = Parcel(
                action_id=claimed.action_id,
                profile_id=claimed.profile_id,
                campaign=claimed.campaign,
                step=claimed.step,
                kind=claimed.kind,
                data=claimed.data,
                address=None if person is None else address(channel.name, person),
                traceparent=trace or "",
            )
            return await self._senders[channel.kind].send(channel, parcel)

    async def _hindered(
        self, claimed: Claimed, channel: Channel, catalog: Catalog, person: Snapshot | None
    ) -> bool:
        """Whether it may not go out, or not now; then it has been settled or put off."""
        reason = hindrance(
            catalog, claimed.campaign, claimed.kind, claimed.purpose, channel.name, person
        )
        if reason == PAUSED or (reason == UNKNOWN and claimed.age <= MAX_AGE):
            await self._postpone(claimed, _PAUSE, reason)
        elif reason is not None:
            await self._settle(claimed, "skipped", reason)
        elif channel.disabled or channel.kind not in self._senders:
            await self._settle(claimed, "failed", f"channel: {channel.disabled or 'unknown kind'}")
        elif claimed.age > MAX_AGE:
            await self._settle(claimed, "failed", "expired")
        else:
            return False
        return True

    def _learn(self, breaker: Breaker, attempt: Attempt) -> None:
        now = self._clock()
        match attempt:
            case Sent() | Failed():
                breaker.succeeded()
            case Retry(after=after, ailing=True):
                breaker.failed(now)
                if after is not None:
                    breaker.asked_to_wait(now, after)
            case Retry():
                pass

    async def _conclude(self, claimed: Claimed, channel: Channel, attempt: Attempt) -> None:
        match attempt:
            case Sent():
                self._sent.append(claimed)
            case Failed(reason=reason, gone=gone):
                await self._settle(claimed, "failed", reason)
                if gone:
                    await self._disable(channel.name, reason)
            case Retry(reason=reason, after=after):
                wait = retry_after(claimed.attempts, str(claimed.action_id), after)
                await self._postpone(claimed, wait, reason)

    async def _settle(self, claimed: Claimed, state: str, reason: str) -> None:
        async with self._db.transaction() as tx:
            await deliveries.settle(tx, claimed, state, reason, self._clock())

    async def _postpone(self, claimed: Claimed, after: Duration, reason: str) -> None:
        async with self._db.transaction() as tx:
            await deliveries.postpone(tx, claimed, after, reason, self._clock())

    async def _settle_sent(self) -> None:
        sent, self._sent = self._sent, []
        try:
            if sent:
                async with self._db.transaction() as tx:
                    await deliveries.settle_sent(tx, sent, self._clock())
        except OUTAGES:
            self._sent = sent + self._sent
            raise

    async def _disable(self, channel: str, reason: str) -> None:
        async with self._db.transaction() as tx:
            await settings.touch(tx)
            await settings.disable_channel(tx, channel, reason)
