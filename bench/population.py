"""People put straight into segmentation's tables: a million of them in a minute or two."""

import uuid
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import asyncpg
from msgspec import Raw
from msgspec.structs import replace

from bench.segment_changes import changes
from services.segmentation.domain.state import Standing, State, encode_state
from zhiyin.contracts.instants import DAY, Instant, moment
from zhiyin.contracts.profiles import (
    Attribute,
    Cause,
    ProfileChanged,
    Snapshot,
    decode_profile_changed,
    encode,
)
from zhiyin.contracts.topics import PROFILE_CHANGED
from zhiyin.runtime.log import Message, partition_of

# Entered by somebody a day after their trial began; nothing else moves them.
SEGMENT: Final = "trial-over"
# Entered and left by turns, whenever `change_of` brings news of somebody.
MOVED: Final = "moved"
RULES: Final = {
    SEGMENT: {"fact": "attributes.trial.at", "op": "older_than", "value": "1d"},
    MOVED: {"fact": "attributes.city", "op": "eq", "value": "city 0"},
}
PARTITIONS: Final = 8
_EVENTS_EACH: Final = 5
_LIVES: Final = 1_000
_AT_ONCE: Final = 20_000


class Due(NamedTuple):
    """A person, and when they enter the segment."""

    number: int
    at: Instant

    @property
    def profile_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"bench-{self.number}"))


def lives() -> list[Snapshot]:
    """The profiles that all people are copies of: some bought a lot, most a little."""
    newest: dict[str, Snapshot] = {}
    for message in changes(_LIVES * _EVENTS_EACH, _LIVES):
        newest[message.key] = decode_profile_changed(message.value).snapshot
    return list(newest.values())


def snapshot_of(one: Due, models: Sequence[Snapshot], version: int = 1) -> Snapshot:
    model = models[one.number % len(models)]
    began = Attribute(True, "bench", one.at - DAY - 1, "trial")
    facts = replace(model.facts, attributes={**model.facts.attributes, "trial": began})
    return replace(model, profile_id=one.profile_id, version=version, facts=facts)


def change_of(one: Due, models: Sequence[Snapshot], version: int, now: Instant) -> Message:
    """News of a person that moves their city and nothing else."""
    model = snapshot_of(one, models, version)
    city = Attribute(f"city {version % 2}", "bench", now, str(version))
    facts = replace(model.facts, attributes={**model.facts.attributes, "city": city})
    cause = Cause(
        f"{one.number}-{version}", "customer.updated", "bench", now, now, False, Raw(b"\x80")
    )
    message = ProfileChanged(
        message_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{one.profile_id}:{version}")),
        at=now,
        snapshot=replace(model, facts=facts),
        changed=("attributes.city", "events.customer.updated", "profile"),
        cause=(cause,),
    )
    return Message(PROFILE_CHANGED, one.profile_id, encode(message))


async def settle_down(db: asyncpg.Connection, people: Sequence[Due]) -> None:
    """People who are about to enter, each with the timer that will say so."""
    models = lives()
    rows = iter(people)
    while some := list(islice(rows, _AT_ONCE)):
        await db.copy_records_to_table(
            "person", schema_name="segmentation", records=_persons(some, models)
        )
        await db.copy_records_to_table("timer", schema_name="segmentation", records=_timers(some))
    await db.execute("VACUUM ANALYZE segmentation.person")
    await db.execute("VACUUM ANALYZE segmentation.timer")


def _persons(people: Sequence[Due], models: Sequence[Snapshot]) -> Iterator[tuple[Any, ...]]:
    for one in people:
        state = State(1, {SEGMENT: Standing(None, 1, one.at)}, one.at)
        number = partition_of(one.profile_id, PARTITIONS)
        snapshot = encode(snapshot_of(one, models))
        yield one.profile_id, number, 1, 0, 1, snapshot, encode_state(state)


def _timers(people: Sequence[Due]) -> Iterator[tuple[Any, ...]]:
    for one in people:
        number = partition_of(one.profile_id, PARTITIONS)
        key = f"p:{one.profile_id}"
        yield key, number, moment(one.at), one.profile_id, "flip", b""
