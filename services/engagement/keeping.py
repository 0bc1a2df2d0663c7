"""Keeps engagement's copy of people up to date: newest version wins, merges move what hangs on
the absorbed person, erasure forgets."""

from collections.abc import Iterable, Mapping, Sequence

from services.engagement.incoming import Change
from services.engagement.run_timers import run_timer
from services.engagement.store import moves, people, runs
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.timers import set_timers

Rows = Mapping[str, people.Row]


class Newest:
    """The snapshots that this batch brought, decoded when somebody asks."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._decoded: dict[str, Snapshot] = {}

    def get(self, profile_id: str) -> Snapshot | None:
        """None if the stored copy is the newest."""
        row = self._rows.get(profile_id)
        if row is None or row.packed is None or row.merged_into is not None:
            return None
        if profile_id not in self._decoded:
            self._decoded[profile_id] = decode_snapshot(row.packed)
        return self._decoded[profile_id]


async def keep_people(
    tx: Connection, changes: Iterable[Change], rows: Rows, now: Instant
) -> list[Change]:
    """Apply changes to the locked rows and save them. Returns those seen for the first time, of
    people who are not erased; a change that comes late is still new, only its snapshot is old."""
    fresh: list[Change] = []
    kept: set[str] = set()
    for change in changes:
        row = rows[change.profile_id]
        if row.erased or not row.first_sight(change.message_id):
            continue
        newer = change.version > row.version
        if newer:
            row.version, row.packed = change.version, change.packed
            row.merged_into, row.erased = change.merged_into, change.erased
        if change.erased:
            row.erased = True
            await moves.forget(tx, change.profile_id, now)
            continue
        if newer and change.merged_into is not None:
            kept.add(await _merge(tx, change.profile_id, rows, now))
        fresh.append(change)
    await people.save(tx, rows.values())
    await _rewind(tx, sorted(kept), rows)
    return fresh


async def _merge(tx: Connection, absorbed: str, rows: Rows, now: Instant) -> str:
    kept = people.final(rows, absorbed)
    if rows[kept].erased:
        await moves.forget(tx, absorbed, now)
    else:
        await moves.merge(tx, absorbed, kept, rows[kept].partition, now)
    return kept


async def _rewind(tx: Connection, kept: Sequence[str], rows: Rows) -> None:
    """Journeys that moved wait on the kept person's partition from now on."""
    if not kept:
        return
    await set_timers(
        tx,
        [
            run_timer(run, run.waiting.until, rows[run.profile_id].partition)
            for run in await runs.inside(tx, kept)
            if run.waiting is not None
        ],
    )
