"""Taking events in: judge each, keep what is personal, append to the log, give a receipt."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from prometheus_client import Counter

from services.gateway.domain.door import Accepted, Door, Secret, stated_id
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.tracking import Tallies
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.receipts import Mark, receipt_of
from zhiyin.runtime.log import LogUnavailable, Message, Position
from zhiyin.runtime.log.interface import Headers
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.problems import FieldError, Problem

MOST_EVENTS: Final = 2500
_RETRY_SECONDS: Final = 2
# The usual SDKs of storefronts hang up after ten seconds. They are to hear a 503 before.
_CONFIRM_SECONDS: Final = 6.0
# Judging takes some 50 µs an event; others get their turn in between.
_TURN: Final = 200


class Rejected(Struct, frozen=True):
    """One refused event of a batch; `pointer` starts at the body's root."""

    index: int
    event_id: str | None
    code: str
    message: str
    pointer: str


class Taken(Struct, frozen=True):
    accepted: int
    rejected: tuple[Rejected, ...]
    receipt: str


class Posted(NamedTuple):
    """The events of one request. `place`: where in its body (JSON pointer) stood what an event, by
    its number, has at a pointer of its own. `refusals`: by number, of what cannot be judged."""

    raws: Sequence[bytes]
    place: Callable[[int, str], str]
    refusals: Mapping[int, Rejection] = {}


class Log(Protocol):
    async def append(self, messages: Sequence[Message]) -> Sequence[Position]: ...


class Keep(Protocol):
    async def keep(self, secrets: Iterable[Secret]) -> None: ...


class _Posted(Struct, frozen=True):
    events: list[Raw] | UnsetType = UNSET


_posted: Final = msgspec.json.Decoder(_Posted)


class Ingest:
    def __init__(
        self,
        door: Door,
        vault: Keep,
        log: Log,
        counted: Counter,
        tallies: Tallies,
        most_in_flight: int,
    ) -> None:
        self._door = door
        self._vault = vault
        self._log = log
        self._counted = counted
        self._tallies = tallies
        self._free = most_in_flight

    @contextmanager
    def slot(self) -> Iterator[None]:
        """One of the requests that may be under way at once, from its first byte on, so that
        memory is bounded. Raises Problem (429)."""
        if self._free <= 0:
            raise Problem(429, "busy", "too many requests are being taken in", retry_after=1)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def take(self, posted: Posted, headers: Headers, now: Instant) -> Taken:
        """Returns when every accepted event is durable. Raises Problem: 400 when none is valid,
        503 when the log or the vault does not confirm (whether anything was written is then
        unknown: post the same events again)."""
        accepted, rejected = await self._judge(posted, now)
        self.count(rejected)
        if not accepted:
            raise none_valid(rejected)
        return Taken(len(accepted), rejected, await self.write(accepted, headers, now))

    async def write(self, accepted: Sequence[Accepted], headers: Headers, now: Instant) -> str:
        """Their receipt, once they are durable. Raises Problem (503)."""
        self._counted.labels("accepted").inc(len(accepted))
        messages = [Message(event.topic, event.key, event.value, headers) for event in accepted]
        secrets = [secret for event in accepted for secret in event.secrets]
        by = asyncio.get_running_loop().time() + _CONFIRM_SECONDS
        await _confirmed(self._vault.keep(secrets), by, "the vault does not confirm")
        append = self._log.append(messages)
        positions = await _confirmed(append, by, "the event log does not confirm")
        for event in accepted:
            self._tallies.accepted(event.source, event.type, event.properties, now)
        ends = (Mark(where.topic, where.number, where.offset + 1) for where in positions)
        return receipt_of(ends)

    async def _judge(
        self, posted: Posted, now: Instant
    ) -> tuple[list[Accepted], tuple[Rejected, ...]]:
        accepted, rejected = [], []
        for index, raw in enumerate(posted.raws):
            judged = posted.refusals.get(index) or self._door.judge(raw, now)
            if isinstance(judged, Rejection):
                rejected.append(rejected_at(index, raw, judged, posted.place))
                self._tallies.rejected(raw, judged, now)
            else:
                accepted.append(judged)
            if index % _TURN == _TURN - 1:
                await asyncio.sleep(0)
        return accepted, tuple(rejected)

    def count(self, rejected: Iterable[Rejected]) -> None:
        for refusal in rejected:
            self._counted.labels(refusal.code).inc()


async def _confirmed(durable: Awaitable[Any], by: float, message: str) -> Any:
    """`by`: seconds on the clock of the loop."""
    try:
        async with asyncio.timeout_at(by):
            return await durable
    except Exception as error:
        if isinstance(error, LogUnavailable) or is_outage(error):
            raise Problem(503, "unavailable", message, retry_after=_RETRY_SECONDS) from error
        raise


def split(body: bytes) -> Posted:
    """The events of a body as the contract has it. Raises Problem (400)."""
    try:
        body.decode()
        posted = _posted.decode(body)
    except msgspec.ValidationError as error:
        raise Problem(400, "invalid_body", f"one event, or {{'events': […]}}: {error}") from error
    except (ValueError, RecursionError) as error:
        return Posted(_split_leniently(body, error), _in_events)
    if posted.events is UNSET:
        return Posted([body], lambda _, pointer: pointer)
    return Posted(at_most([bytes(raw) for raw in posted.events]), _in_events)


def _split_leniently(body: bytes, error: Exception) -> Sequence[bytes]:
    """One event with an unpaired surrogate (`"\\ud800"`) is no reason to refuse the others:
    Python's own parser lets it pass, so that the door can refuse that event alone."""
    try:
        document = json.loads(body)
        events = document["events"]
        return at_most([json.dumps(event).encode() for event in events])
    except (ValueError, RecursionError, KeyError, TypeError):
        raise Problem(400, "invalid_json", f"the body is not JSON: {error}") from error


def at_most(raws: Sequence[bytes]) -> Sequence[bytes]:
    """The same, unless there are none or too many. Raises Problem (400)."""
    if not raws:
        raise Problem(400, "no_events", "there are no events in it")
    if len(raws) > MOST_EVENTS:
        raise Problem(400, "too_many_events", f"at most {MOST_EVENTS} events in one request")
    return raws


def _in_events(index: int, pointer: str) -> str:
    return f"/events/{index}{pointer}"


def rejected_at(
    index: int, raw: bytes, refusal: Rejection, place: Callable[[int, str], str]
) -> Rejected:
    where = place(index, refusal.pointer)
    return Rejected(index, stated_id(raw), refusal.code, refusal.message, where)


def none_valid(rejected: tuple[Rejected, ...]) -> Problem:
    """What is answered when nothing of a request could be taken."""
    errors = [FieldError(each.pointer, each.code, each.message) for each in rejected]
    first = rejected[0]
    message = f"no valid event: {first.message} at {first.pointer or '/'}"
    extra = {"accepted": 0, "rejected": rejected}
    return Problem(400, first.code, message, errors=errors, extra=extra)
