"""What has come before the person it needs is parked until they come, or until patience ends."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.parked import Waitable, pack, unpack, waits
from services.engagement.domain.respond import Stimulus
from services.engagement.store import parked
from services.engagement.store.people import Row
from zhiyin.contracts.instants import HOUR, SECOND, Duration, Instant
from zhiyin.runtime.batch import Connection

Stimuli = defaultdict[str, list[Stimulus]]

# What is awaited is in the log, or in an outbox about to be published: only our reading of it is
# behind. Somebody half known can be decided on all the same; nobody is helped by refusing somebody
# unknown sooner.
_PATIENCE: Final[Duration] = 60 * SECOND
_PATIENCE_FOR_UNKNOWN: Final[Duration] = HOUR
ANY_VERSION: Final = 1


def patience_ends(person: Row, now: Instant) -> Instant:
    return now + (_PATIENCE if person.known else _PATIENCE_FOR_UNKNOWN)


async def park(tx: Connection, early: Iterable[tuple[Row, int, Waitable]], now: Instant) -> None:
    """Have each stimulus wait for that version of its person."""
    waiting: defaultdict[int, list[parked.Parked]] = defaultdict(list)
    for person, awaits, stimulus in early:
        packed = pack(stimulus)
        until = patience_ends(person, now)
        waiting[person.partition].append(
            parked.Parked(person.profile_id, packed.key, awaits, until, packed.value)
        )
    await parked.park(tx, waiting)


async def hold_back(
    tx: Connection,
    stimuli: Mapping[str, Sequence[Stimulus]],
    rows: Mapping[str, Row],
    walking: Collection[str],
    now: Instant,
) -> dict[str, Sequence[Stimulus]]:
    """Park what takes people who are not whole yet to respond to; returns the rest."""
    early: list[tuple[Row, int, Waitable]] = []
    ready: dict[str, Sequence[Stimulus]] = {}
    for profile_id, found in stimuli.items():
        person = rows[profile_id]
        left: list[Stimulus] = []
        for stimulus in found:
            if not person.whole and waits(stimulus, walking=profile_id in walking):
                early.append((person, ANY_VERSION, stimulus))
            else:
                left.append(stimulus)
        if left:
            ready[profile_id] = left
    await park(tx, early, now)
    return ready


async def unpark(tx: Connection, people: Iterable[Row], catalog: Catalog, stimuli: Stimuli) -> None:
    """Let go of what waited for these people as they are now."""
    versions = {person.profile_id: person.version for person in people if person.whole}
    for profile_id, packed in await parked.unpark(tx, versions):
        if (stimulus := unpack(packed, catalog, outdated=False)) is not None:
            stimuli[profile_id].append(stimulus)


async def lose_patience(
    tx: Connection, ids: Collection[str], catalog: Catalog, stimuli: Stimuli, now: Instant
) -> None:
    """Let go of what has waited for these people long enough."""
    for profile_id, packed in await parked.overdue(tx, ids, now):
        if (stimulus := unpack(packed, catalog, outdated=True)) is not None:
            stimuli[profile_id].append(stimulus)
