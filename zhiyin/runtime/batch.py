"""What passes between the runtime and a service's pipeline: a batch in, an outcome out."""

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import asyncpg
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.log import Message, Record

Connection = asyncpg.Connection


class Rejected(Struct, frozen=True):
    """A record that can never be applied: it goes to the dead letters, with its reason, in the
    same transaction as its offset."""

    record: Record
    code: str
    reason: str


class Outgoing(Struct, frozen=True):
    """A message to publish once the transaction has committed. `id` is derived (uuid5), and
    travels as the `id` header; `partition` is the number whose owner publishes it."""

    id: uuid.UUID
    partition: int
    message: Message


async def _nothing() -> None:
    return None


class Outcome(Struct, frozen=True):
    """What a batch led to. `after_commit` runs once the transaction is known to be committed
    (hot copies, metrics); it may be lost in a crash, so it only does what can be done again."""

    outgoing: Sequence[Outgoing] = ()
    rejected: Sequence[Rejected] = ()
    after_commit: Callable[[], Awaitable[None]] = _nothing


class Apply(Protocol):
    """A service's pipeline: everything it does to its store happens on `tx`, which the runtime
    commits. An exception rolls back; the batch is tried again, then bisected to the bad record."""

    async def __call__(self, tx: Connection, records: Sequence[Record]) -> Outcome: ...


class Timer(Struct, frozen=True):
    """Something due. `key` is unique per service; `partition` says whose worker fires it."""

    key: str
    partition: int
    due_at: Instant
    profile_id: str
    kind: str
    payload: bytes = b""


class Fire(Protocol):
    """Handles timers that are due (by the database's clock, `now`), on `tx`. Fired timers are
    deleted by the runtime in the same transaction; set new ones with `set_timers`."""

    async def __call__(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome: ...
