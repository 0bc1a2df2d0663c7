"""The sentence of segmentation: profiles change, time passes, rules change; memberships follow."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec.structs import replace

from services.segmentation import store
from services.segmentation.catalogue import Catalogue
from services.segmentation.domain.arrival import Arrival, follow, needs_snapshot
from services.segmentation.domain.changes import told
from services.segmentation.domain.decide import Decision, by_time
from services.segmentation.domain.glance import glance
from services.segmentation.domain.person import PersonCopy, Verdict
from services.segmentation.domain.segment_set import SegmentSet
from services.segmentation.messages import read
from services.segmentation.names_seen import NamesSeen
from services.segmentation.saving import Saving, flip_timers
from services.segmentation.store import Whole
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Outcome, Timer
from zhiyin.runtime.log import Record
from zhiyin.runtime.timers import set_timers


class Pipeline:
    """What a worker does with changed profiles and with flips that are due."""

    def __init__(self, catalogue: Catalogue, saving: Saving) -> None:
        self._catalogue = catalogue
        self._saving = saving
        self._names = NamesSeen()

    async def apply(self, tx: Connection, records: Sequence[Record]) -> Outcome:
        """A batch of `profile.changed`."""
        arrivals, rejected = read(records)
        rules = await self._catalogue.current(tx)
        by_person = _by_person(arrivals)
        known, now = await store.known_people(tx, list(by_person))
        await self._names.note(tx, arrivals)
        stored = await store.snapshots(
            tx, [key for key, one in known.items() if needs_snapshot(one, rules, now)]
        )
        verdicts = [
            verdict
            for key, news in by_person.items()
            if (verdict := follow(known.get(key), stored.get(key), news, rules, now))
        ]
        return await self._saving.people(tx, verdicts, rejected)

    async def flip(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        """People whom time moves. A timer that comes early (its person has changed since)
        changes nothing and is set again."""
        rules = await self._catalogue.current(tx)
        people, now = await store.present_people(tx, [timer.profile_id for timer in due])
        verdicts = [after_time(one, rules, now) for one in people]
        await set_timers(tx, flip_timers(verdicts))
        return await self._saving.states(tx, verdicts)


def _by_person(arrivals: Sequence[Arrival]) -> dict[str, list[Arrival]]:
    people: defaultdict[str, list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        people[arrival.profile_id].append(arrival)
    return {key: people[key] for key in sorted(people)}


def after_time(person: Whole, rules: SegmentSet, now: Instant) -> Verdict:
    copy, stored = person
    seen = glance(stored, rules.look_at(copy.state, now))
    return verdict_of(copy, by_time(seen, copy.state, rules, now), now)


def verdict_of(person: PersonCopy, decision: Decision, now: Instant) -> Verdict:
    """The verdict on a person whose snapshot stays as it is."""
    messages = tuple(
        told(person.profile_id, person.version, flip, None, now) for flip in decision.flips
    )
    after = replace(person, state=decision.state, sequence=person.sequence + (1 if messages else 0))
    return Verdict(person, after, messages)
