"""Keeps engagement's copy of people up to date: newest version wins, merges move what hangs on
the absorbed person, parting moves it back, erasure forgets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from services.engagement.expiring import remind_again
from services.engagement.incoming import Change
from services.engagement.parking import patience_ends
from services.engagement.run_timers import run_timer
from services.engagement.store import moves, people, runs
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.erasures import note_erasure
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
        if change.version > row.version:
            row.version, row.packed = change.version, change.packed
        if change.erased:
            await _erase(tx, change, rows, now)
            continue
        if change.parted_from and change.version == row.version:
            kept.add(await _part(tx, row, change, rows))
        for absorbed, into in _merges(change):
            if absorbed in rows and rows[absorbed].stands and _holds(change, rows[absorbed]):
                kept.add(await _merge(tx, rows[absorbed], into, rows, now))
        row.lacking = [each for each in row.lacking if each not in change.merged_from]
        fresh.append(change)
    await people.save(tx, rows.values())
    await _rewind(tx, sorted(kept), rows)
    return fresh


def _merges(change: Change) -> Iterator[tuple[str, str]]:
    """A merge is told of twice, by the absorbed person's last change and by what the kept person
    has been since, on partitions of their own: whichever comes first moves everything, so that
    nothing of the kept person's passes by what was the absorbed one's."""
    if change.merged_into is not None:
        yield change.profile_id, change.merged_into
    for absorbed in change.merged_from:
        yield absorbed, change.profile_id


async def _erase(tx: Connection, change: Change, rows: Rows, now: Instant) -> None:
    """Under all ids they ever had: of a merge the news may still be on its way."""
    counts: Counter[str] = Counter()
    for profile_id in (change.profile_id, *change.merged_from):
        row = rows.get(profile_id)
        if row is not None and not row.erased:
            counts["engagement.person"] += row.known and row.merged_into is None
            row.erased, row.changed = True, True
        counts.update(await moves.forget(tx, profile_id, now))
    await note_erasure(tx, change.profile_id, now, counts)
    for former in change.merged_from:  # whose own last word may still come, and will find nothing
        await note_erasure(tx, former, now, {})


def _holds(change: Change, absorbed: people.Row) -> bool:
    """Whether the news of a merge come before it was undone, or have been overtaken by that."""
    if change.profile_id == absorbed.profile_id:
        return change.version >= absorbed.version
    return change.version > absorbed.outdated.get(change.profile_id, -1)


async def _part(tx: Connection, back: people.Row, change: Change, rows: Rows) -> str:
    """Somebody is a person of their own again, who may never have been heard of as merged."""
    back.outdated = {**back.outdated, **change.parted_from}
    if back.merged_into is None:
        return back.profile_id
    kept = rows[people.final(rows, back.merged_into)]
    group = [back.profile_id, *change.merged_from]
    left = list(change.parted_from)
    back.merged_into, back.changed = None, True
    kept.lacking = [each for each in kept.lacking if each not in group]
    kept.changed = True
    for each in change.merged_from:
        if each in rows and rows[each].merged_into == kept.profile_id:
            rows[each].merged_into, rows[each].changed = back.profile_id, True
    await moves.part(tx, kept.profile_id, back.profile_id, back.partition, group, left)
    return back.profile_id


async def _merge(tx: Connection, gone: people.Row, into: str, rows: Rows, now: Instant) -> str:
    gone.merged_into, gone.changed = into, True
    kept = rows[people.final(rows, into)]
    if kept.erased:
        await moves.forget(tx, gone.profile_id, now)
    else:
        until = patience_ends(kept, now)
        await moves.merge(tx, gone.profile_id, kept.profile_id, kept.partition, now, until)
        kept.lacking = sorted({*kept.lacking, *gone.lacking, gone.profile_id})
        kept.changed = True
    gone.lacking = []
    return kept.profile_id


async def _rewind(tx: Connection, kept: Sequence[str], rows: Rows) -> None:
    """Journeys and coupons that moved wait on the kept person's partition from now on."""
    if not kept:
        return
    for profile_id in kept:
        await remind_again(tx, profile_id, rows[profile_id].partition)
    await set_timers(
        tx,
        [
            run_timer(run, run.waiting.until, rows[run.profile_id].partition)
            for run in await runs.inside(tx, kept)
            if run.waiting is not None
        ],
    )
