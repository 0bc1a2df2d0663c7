"""One delivery: asked once more whether it may go out, handed to its sender, and settled."""

from collections.abc import Mapping
from typing import Any, Final

from services.engagement.domain.allowed import PAUSED, UNKNOWN, hindrance, quiet_until
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.channels import Channel, addresses_of
from services.engagement.domain.delivery import MAX_AGE, retry_after
from services.engagement.domain.news import became, consent
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Rests, Retry, Sender, Sent
from services.engagement.store import deliveries, settings
from services.engagement.store.deliveries import Claimed
from services.engagement.telling import Teller
from zhiyin.contracts.instants import SECOND, Duration
from zhiyin.contracts.profiles import Snapshot
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES
from zhiyin.runtime.telemetry import Telemetry

_PAUSE: Final[Duration] = 5 * SECOND
FALLBACK: Final = "fallback"  # in a message's data: what to say on other channels, best first
_OURS: Final = frozenset({FALLBACK, "tried"})  # of no use to a receiver


class Handover:
    def __init__(
        self,
        db: Database,
        senders: Mapping[str, Sender],
        teller: Teller,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._db = db
        self._senders = senders
        self._teller = teller
        self._clock = clock
        self._telemetry = telemetry
        self._sent: list[tuple[Claimed, str | None]] = []

    def longest(self, kind: str) -> float:
        """Seconds an attempt may take on channels of this kind."""
        sender = self._senders.get(kind)
        return 0.0 if sender is None else sender.longest

    async def attempt(
        self, claimed: Claimed, channel: Channel, catalog: Catalog, person: Snapshot | None
    ) -> Attempt | None:
        """None if it may not go out, or not now: then it has been settled or put off."""
        if person is None or await self._hindered(claimed, channel, catalog, person):
            if person is None:
                await self._unknown(claimed)
            return None
        if channel.disabled or channel.kind not in self._senders:
            return Failed(f"channel: {channel.disabled or 'unknown kind'}")
        if claimed.age > MAX_AGE:
            await self._settle(claimed, "failed", "expired")
            return None
        with self._telemetry.span(f"deliver {channel.kind}", claimed.traceparent or None) as trace:
            parcel = _parcel(claimed, channel, person, trace or "")
            return await self._senders[channel.kind].send(channel, parcel)

    async def _unknown(self, claimed: Claimed) -> None:
        if claimed.age <= MAX_AGE:
            await self._postpone(claimed, _PAUSE, UNKNOWN)
        else:
            await self._settle(claimed, "skipped", UNKNOWN)

    async def _hindered(
        self, claimed: Claimed, channel: Channel, catalog: Catalog, person: Snapshot
    ) -> bool:
        reason = hindrance(
            catalog,
            claimed.campaign,
            claimed.kind,
            claimed.purpose,
            channel,
            person,
            str(claimed.data.get("template_id", "")),
        )
        now = self._clock()
        if reason == PAUSED:
            await self._postpone(claimed, _PAUSE, reason)
        elif reason is not None:
            await self._settle(claimed, "skipped", reason)
        elif until := quiet_until(catalog, claimed.kind, claimed.purpose, person, now):
            await self._postpone(claimed, until - now, "quiet_hours")
        else:
            return False
        return True

    async def conclude(self, claimed: Claimed, channel: Channel, attempt: Attempt) -> None:
        match attempt:
            case Sent(reference=reference):
                self._sent.append((claimed, reference))
            case Failed():
                await self._fail(claimed, channel, attempt)
            case Rests(reason=reason, until=until):
                await self._postpone(claimed, max(until - self._clock(), 0), reason)
            case Retry(reason=reason, after=after):
                wait = retry_after(claimed.attempts, str(claimed.action_id), after)
                await self._postpone(claimed, wait, reason)

    async def _fail(self, claimed: Claimed, channel: Channel, failed: Failed) -> None:
        now, who = self._clock(), claimed.profile_id
        if failed.bounced is not None:
            more: dict[str, Any] = {
                "hard": True,
                "address": failed.bounced,
                "reason": failed.reason,
            }
            event = became("bounced", claimed.action_id, who, channel.medium, now, **more)
            await self._teller.tell([event], claimed.traceparent or None)
        if failed.withdrawn is not None:
            event_id = f"{claimed.action_id}:refused"
            event = consent(failed.withdrawn, False, who, event_id, now)
            await self._teller.tell([event], claimed.traceparent or None)
        if failed.gone:
            await self._disable(channel.name, failed.reason)
        others: list[dict[str, Any]] = claimed.data.get(FALLBACK) or []
        if others:
            await self._reroute(claimed, channel.name, failed.reason, others)
        else:
            await self._settle(claimed, "failed", failed.reason)

    async def _reroute(
        self, claimed: Claimed, channel: str, reason: str, others: list[dict[str, Any]]
    ) -> None:
        """What was not taken, and never will be, here, goes out on the next best channel."""
        tried = [*claimed.data.get("tried", []), {"channel": channel, "reason": reason}]
        data = {**claimed.data, **others[0], FALLBACK: others[1:], "tried": tried}
        async with self._db.transaction() as tx:
            await deliveries.reroute(tx, claimed, data, reason, self._clock())

    async def _settle(self, claimed: Claimed, state: str, reason: str) -> None:
        async with self._db.transaction() as tx:
            await deliveries.settle(tx, claimed, state, reason, self._clock())

    async def _postpone(self, claimed: Claimed, after: Duration, reason: str) -> None:
        async with self._db.transaction() as tx:
            await deliveries.postpone(tx, claimed, after, reason, self._clock())

    async def settle_sent(self) -> None:
        """Write down, many at once, what has gone out."""
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


def _parcel(claimed: Claimed, channel: Channel, person: Snapshot, trace: str) -> Parcel:
    return Parcel(
        action_id=claimed.action_id,
        profile_id=claimed.profile_id,
        campaign=claimed.campaign,
        step=claimed.step,
        kind=claimed.kind,
        data={name: value for name, value in claimed.data.items() if name not in _OURS},
        addresses=addresses_of(channel, person),
        traceparent=trace,
        purpose=claimed.purpose,
        attributes={name: each.value for name, each in person.facts.attributes.items()},
        attempts=claimed.attempts,
    )
