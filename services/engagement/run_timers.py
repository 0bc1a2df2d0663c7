"""The timer of a run that waits."""

from typing import Final

from services.engagement.domain.customer import Run
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Timer

RUN_TIMER: Final = "run"


def run_timer(run: Run, until: Instant, partition: int) -> Timer:
    """Named by when it is due as well: one that has fired cannot be taken for the next."""
    return Timer(
        key=f"run:{run.run_id}:{until}",
        partition=partition,
        due_at=until,
        profile_id=run.profile_id,
        kind=RUN_TIMER,
        payload=run.run_id.bytes,
    )
