"""What all lanes of a worker share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from zhiyin.runtime.batch import Apply, Fire
from zhiyin.runtime.db import Database
from zhiyin.runtime.faults import Fault
from zhiyin.runtime.halting import HaltRule
from zhiyin.runtime.log import EventLog, LogConsumer
from zhiyin.runtime.rates import Rates
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.settler import Recover
from zhiyin.runtime.telemetry import Telemetry


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """Times are in seconds. `batch_rest` is how long a lane rests after a batch of few records.
    `regain` is how long after being fenced off a partition, while the log says it is still ours,
    it is gained anew: longer than the log takes to notice a loss."""

    partitions: int = 8
    lanes: int = 2
    batch_records: int = 4_000
    batch_rest: float = 0.04
    timer_batch: int = 500
    timer_poll: float = 0.25
    sweep: float = 0.5
    halt_window: int = 200
    halt_least: int = 50
    halt_ratio: float = 0.5
    watchdog: float = 120.0
    regain: float = 10.0
    shutdown: float = 10.0
    fault: str | None = None

    @classmethod
    def of(cls, settings: ServiceSettings) -> "WorkerOptions":
        return cls(
            partitions=settings.partitions,
            lanes=settings.lanes,
            batch_records=settings.batch_records,
            watchdog=settings.watchdog_seconds,
            fault=settings.fault,
        )


@dataclass(frozen=True, slots=True)
class LaneContext:
    topics: Sequence[str]
    log: EventLog
    consumer: LogConsumer
    db: Database
    apply: Apply
    fire: Mapping[str, Fire]
    telemetry: Telemetry
    options: WorkerOptions
    fault: Fault
    halt_rule: HaltRule
    rates: Rates
    recover: Recover | None
