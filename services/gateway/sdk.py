"""Taking in what SDKs send: each message mapped to an event, judged, written."""

import asyncio
from typing import Final

from services.gateway.domain.door import Accepted, Door
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.sdk.mapping import Mapped, mapped
from services.gateway.domain.sdk.messages import Envelope, Sent
from services.gateway.domain.tracking import Tallies
from services.gateway.ingest import Ingest, Rejected, at_most, none_valid, rejected_at
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.log.interface import Headers

# Mapping and judging take some 100 µs a message; others get their turn in between.
_TURN: Final = 100


class SdkIngest:
    """SDKs know success or failure of a request and nothing in between, so one message must not
    cost the others: what can be kept in part only is, and the tracking plan says so."""

    def __init__(self, ingest: Ingest, door: Door, tallies: Tallies, region: str) -> None:
        self._ingest = ingest
        self._door = door
        self._tallies = tallies
        self._region = region

    async def take(self, sent: Sent, source: str, headers: Headers, now: Instant) -> None:
        """Returns when all that can be kept is durable. Raises Problem: 400 when that is nothing,
        503 when the log or the vault does not confirm (send the same messages again)."""
        accepted: list[Accepted] = []
        rejected: list[Rejected] = []
        for index, raw in enumerate(at_most(sent.raws)):
            judged = self._judge(raw, sent.envelope, source, now)
            if isinstance(judged, Rejection):
                rejected.append(rejected_at(index, raw, judged, sent.place))
            else:
                accepted.append(judged)
            if index % _TURN == _TURN - 1:
                await asyncio.sleep(0)
        self._ingest.count(rejected)
        if not accepted:
            raise none_valid(tuple(rejected))
        await self._ingest.write(accepted, headers, now)

    def _judge(
        self, raw: bytes, envelope: Envelope, source: str, now: Instant
    ) -> Accepted | Rejection:
        found = mapped(raw, envelope, source, now, self._region)
        if isinstance(found, Rejection):
            self._tallies.unmapped(source, found, now)
            return found
        for trifle in found.left_out:
            self._tallies.left_out(source, found.meant.type, trifle, now)
        return self._kept(found, now)

    def _kept(self, found: Mapped, now: Instant) -> Accepted | Rejection:
        """The event it means, or what can be kept of it instead."""
        judged = self._door.judge(found.raw, now)
        if isinstance(judged, Accepted):
            return judged
        self._tallies.rejected(found.raw, judged, now)
        refusal = judged
        for instead in found.instead(refusal):
            judged = self._door.judge(instead, now)
            if isinstance(judged, Accepted):
                break
        return judged
