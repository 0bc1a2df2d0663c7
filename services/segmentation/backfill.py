"""Bringing everybody up to a changed segment set, page by page.

Each partition has one timer that does a page and sets itself again, so the walk goes on wherever
the partition's owner is, between live batches and never beside them. Whoever is touched by an
event or by time meanwhile is brought up there and then, and skipped here.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.segmentation import reads, store
from services.segmentation.catalogue import Catalogue
from services.segmentation.domain.decide import by_rules
from services.segmentation.domain.glance import glance
from services.segmentation.domain.pace import Pace
from services.segmentation.domain.person import Verdict
from services.segmentation.domain.segment_set import SegmentSet
from services.segmentation.pipeline import verdict_of
from services.segmentation.saving import Saving, set_changed_timers
from services.segmentation.store import Whole
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Outcome, Timer
from zhiyin.runtime.timers import set_timers

BACKFILL: Final = "backfill"
_LEAST_EACH: Final = 20


def backfill_timers(partitions: Sequence[int], now: Instant) -> list[Timer]:
    return [Timer(f"backfill:{one}", one, now, "", BACKFILL) for one in partitions]


@dataclass(frozen=True, slots=True)
class _Page:
    """`behind`: those of the page who are not up to the set yet; `last` None: the end."""

    behind: list[str]
    last: str | None
    seen: int


class Backfill:
    def __init__(self, catalogue: Catalogue, saving: Saving) -> None:
        self._catalogue = catalogue
        self._saving = saving
        self._pace = Pace()

    async def walk(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        """One page of each partition that is due."""
        rules = await self._catalogue.current(tx)
        started = time.perf_counter()
        size = max(self._pace.people // len(due), _LEAST_EACH)
        behind: list[str] = []
        going_on: list[int] = []
        for timer in sorted(due, key=lambda one: one.partition):
            page = await _next_page(tx, timer.partition, size, rules.revision)
            behind += page.behind
            await _advance(tx, timer.partition, page)
            if page.last is not None:
                going_on.append(timer.partition)
        verdicts = await _bring_up(tx, behind, rules)
        await set_changed_timers(tx, verdicts)
        outcome = await self._saving.states(tx, verdicts)
        self._pace.took(len(behind), time.perf_counter() - started)
        again = await reads.now(tx) + self._pace.pause
        await set_timers(tx, backfill_timers(going_on, again))
        return outcome


async def _bring_up(tx: Connection, profile_ids: list[str], rules: SegmentSet) -> list[Verdict]:
    people, now = await store.present_people(tx, profile_ids)
    return [_caught_up(one, rules, now) for one in people]


def _caught_up(person: Whole, rules: SegmentSet, now: Instant) -> Verdict:
    copy, stored = person
    seen = glance(stored, rules.look_at(copy.state, now))
    return verdict_of(copy, by_rules(seen, copy.state, rules, now), now)


async def _next_page(tx: Connection, partition: int, size: int, revision: int) -> _Page:
    """Caught-up people count into the page too, so that no query runs long."""
    rows = await tx.fetch(
        """
        SELECT p.profile_id, p.revision < $3 AND p.snapshot IS NOT NULL AS behind
        FROM person p
        WHERE p.partition = $1
          AND p.profile_id > (SELECT cursor FROM backfill WHERE partition = $1)
        ORDER BY p.profile_id LIMIT $2
        """,
        partition,
        size,
        revision,
    )
    return _Page(
        [row["profile_id"] for row in rows if row["behind"]],
        rows[-1]["profile_id"] if len(rows) == size else None,
        len(rows),
    )


async def _advance(tx: Connection, partition: int, page: _Page) -> None:
    await tx.execute(
        """
        UPDATE backfill SET
          total = CASE WHEN cursor = '' THEN
            (SELECT count(*) FROM person p WHERE p.partition = backfill.partition) ELSE total END,
          seen = seen + $3,
          cursor = coalesce($2, cursor),
          done = CASE WHEN $2::text IS NULL THEN target ELSE done END
        WHERE partition = $1
        """,
        partition,
        page.last,
        page.seen,
    )
