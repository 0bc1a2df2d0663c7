"""A service's worker: consumes its topics and fires its timers, each effect exactly once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from msgspec import Struct

from zhiyin.runtime.batch import Apply, Connection, Fire, Outgoing
from zhiyin.runtime.db import Database
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.telemetry import Telemetry

Recover = Callable[[Sequence[Outgoing]], Awaitable[None]]


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """Times are in seconds."""

    partitions: int = 8
    lanes: int = 4
    batch_records: int = 500
    batch_wait: float = 0.01
    timer_batch: int = 500
    timer_poll: float = 0.25
    sweep: float = 0.5
    halt_window: int = 200
    halt_least: int = 50
    halt_ratio: float = 0.5
    watchdog: float = 120.0


class WorkerStatus(Struct, frozen=True):
    owned: tuple[int, ...]
    lag: dict[str, int]
    rates: dict[str, float]
    dead_letters: int
    outbox: int
    halted: str | None


class Worker:
    """`fire` maps a timer's kind to its handler. `recover` gets the messages of batches whose
    committer may have died before `after_commit` ran, so that it can be done again."""

    def __init__(
        self,
        service: str,
        topics: Sequence[str],
        log: EventLog,
        db: Database,
        apply: Apply,
        fire: Mapping[str, Fire],
        telemetry: Telemetry,
        *,
        options: WorkerOptions | None = None,
        recover: Recover | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def ready(self) -> bool:
        """Whether it has taken up its share of the partitions."""
        raise NotImplementedError

    @property
    def owned(self) -> frozenset[int]:
        """The partition numbers it holds."""
        raise NotImplementedError

    def status(self) -> WorkerStatus:
        raise NotImplementedError

    async def run(self) -> None:
        """Work until `stop`. Raises Halted when going on would lose or corrupt data."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Finish what is in hand, publish it, leave the group."""
        raise NotImplementedError

    async def enqueue(self, tx: Connection, outgoing: Sequence[Outgoing]) -> None:
        """For messages made outside a batch (an API call), inside the caller's transaction: the
        owner of their partition publishes them within `sweep` seconds of the commit."""
        raise NotImplementedError
