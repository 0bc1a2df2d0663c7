"""What must hold once the platform has healed and drained (docs/architecture.md, "Invariants").

Each check reads the stores themselves and compares them with something worked out anew from the
event log; none asks the platform whether it is well.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import redis.asyncio

from services.profile.domain.fold import refold
from services.profile.domain.packed import unpack
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.policy import Policy
from services.profile.domain.reading import Reader
from services.profile.hearing import Hearing
from zhiyin.contracts.events import event_uid
from zhiyin.contracts.profiles import Facts, decode_profile_changed, decode_snapshot, encode
from zhiyin.contracts.segments import decode_segment_changed
from zhiyin.contracts.topics import EVENTS, PROFILE_CHANGED, SEGMENT_CHANGED
from zhiyin.rules import Person, compile_rule, parse
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.log import EventLog, Partition, Record
from zhiyin.wording import load_model

CONSUMED = {
    "profile": EVENTS,
    "segmentation": (PROFILE_CHANGED,),
    "engagement": (PROFILE_CHANGED, SEGMENT_CHANGED),
}


class _All:
    async def gained(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        return dict.fromkeys(partitions, 0)

    async def lost(self, partitions: frozenset[Partition]) -> None:
        return None


async def read_all(log: EventLog, topics: Iterable[str]) -> list[Record]:
    """Every record of the topics, from the first to the present end."""
    names = list(topics)
    ends = await log.ends(names)
    consumer = log.consumer(f"check-{wall_clock()}", names)
    await consumer.start(_All())
    records: list[Record] = []
    left = {partition for partition, end in ends.items() if end > 0}
    while left:
        for partition, found in (await consumer.fetch(frozenset(left), 5000, 1.0)).items():
            records.extend(found)
            if found and found[-1].offset >= ends[partition] - 1:
                left.discard(partition)
    await consumer.stop()
    return records


async def positions_at_the_end(db: asyncpg.Connection, log: EventLog) -> list[str]:
    """I3, I9: every consumer has applied everything there is."""
    wrong = []
    for service, topics in CONSUMED.items():
        ends = await log.ends(list(topics))
        rows = await db.fetch(f"SELECT topic, partition, next FROM {service}.position")
        stored = {Partition(row["topic"], row["partition"]): row["next"] for row in rows}
        wrong += [
            f"{service} is at {stored.get(partition, 0)} of {end} in {partition}"
            for partition, end in ends.items()
            if stored.get(partition, 0) != end
        ]
    return wrong


async def dead_letters(db: asyncpg.Connection) -> list[str]:
    """The reason of everything that any service set aside."""
    return [
        f"{service}: {row[0]}"
        for service in CONSUMED
        for row in await db.fetch(f"SELECT reason FROM {service}.dead_letter")
    ]


async def outboxes_empty(db: asyncpg.Connection) -> list[str]:
    """I4, one half: nothing waits to be published."""
    return [
        f"{count} unpublished in {service}"
        for service in CONSUMED
        if (count := await db.fetchval(f"SELECT count(*) FROM {service}.outbox"))
    ]


async def accepted_are_applied(
    db: asyncpg.Connection, accepted: Iterable[Mapping[str, Any]]
) -> list[str]:
    """I1: every accepted event is in the event log of the profiles, once."""
    rows = await db.fetch("SELECT uid, count(*) AS times FROM profile.event GROUP BY uid")
    stored = {row["uid"]: row["times"] for row in rows}
    wanted = {event_uid(event.get("source", "default"), event["event_id"]) for event in accepted}
    return [
        *(f"event {uid} was accepted and is nowhere" for uid in wanted - stored.keys()),
        *(f"event {uid} is stored {times} times" for uid, times in stored.items() if times != 1),
    ]


def people_of(events: Iterable[PersonEvent]) -> dict[Identifier, list[PersonEvent]]:
    """Who is one person by identifiers seen together, by a plain union-find."""
    parent: dict[Identifier, Identifier] = {}

    def root(one: Identifier) -> Identifier:
        while (above := parent.setdefault(one, one)) != one:
            parent[one] = one = parent[above]
        return one

    listed = list(events)
    for event in listed:
        first, *others = event.identifiers
        for other in others:
            parent[root(other)] = root(first)
    people: defaultdict[Identifier, list[PersonEvent]] = defaultdict(list)
    for event in listed:
        people[root(event.identifiers[0])].append(event)
    return people


async def profiles_are_folds(
    db: asyncpg.Connection, log: EventLog, currency: str = "CNY", zone: str = "Asia/Shanghai"
) -> tuple[int, list[str]]:
    """I2, I5: from nothing but the topics and the model of words, each person's plain fold is what
    is stored for all of their identifiers. Returns how many people were compared. Consents are
    compared by answer: which of two equal answers is kept depends on when the two became one."""
    reader = Reader(currency, ZoneInfo(zone))
    unique: dict[Any, PersonEvent] = {}
    for record in await read_all(log, EVENTS):
        event = reader.read(record.value, record.timestamp_ms * 1000)
        if isinstance(event, PersonEvent):
            unique.setdefault(event.uid, event)
    identity = {
        (row["namespace"], row["token"]): row["profile_id"]
        for row in await db.fetch("SELECT namespace, token, profile_id FROM profile.identity")
    }
    stored = {
        row["profile_id"]: decode_snapshot(row["snapshot"])
        for row in await db.fetch("SELECT profile_id, snapshot FROM profile.profile")
    }
    wrong: list[str] = []
    await db.execute("SET search_path TO profile")
    people = people_of(await Hearing(reader, load_model()).hear(db, list(unique.values())))
    for events in people.values():
        owners = {identity.get(one) for event in events for one in event.identifiers}
        if len(owners) != 1 or (owner := owners.pop()) not in stored:
            wrong.append(f"{events[0].identifiers} is split or stranded: {owners}")
            continue
        expected = unpack(refold(events, Policy(currency)))
        if plain(expected) != plain(stored[owner].facts):
            wrong.append(f"profile {owner} differs from the fold of its {len(events)} events")
    if len(stored) != len(people):
        wrong.append(f"{len(stored)} profiles are stored for {len(people)} people")
    return len(people), wrong


def plain(facts: Facts) -> tuple[bytes, dict[str, bool]]:
    answers = {purpose: consent.granted for purpose, consent in facts.consents.items()}
    return encode(msgspec.structs.replace(facts, consents={})), answers


async def changes_are_published(db: asyncpg.Connection, log: EventLog) -> list[str]:
    """I4, other half: of each profile every version was published. Versions follow one another,
    but for a merge, which goes above those of both."""
    published: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for record in await read_all(log, [PROFILE_CHANGED]):
        snapshot = decode_profile_changed(record.value).snapshot
        published[snapshot.profile_id][snapshot.version] = len(snapshot.merged_from)
    wrong = []
    for row in await db.fetch("SELECT profile_id, version FROM profile.profile"):
        merged = published[row["profile_id"]]
        versions = sorted(merged)
        steps = zip([0, *versions], versions, strict=False)
        gaps = [
            (before, after)
            for before, after in steps
            if after != before + 1 and merged[after] == merged.get(before, 0)
        ]
        if gaps or versions[-1:] != [row["version"]]:
            wrong.append(f"{row['profile_id']} at {row['version']}, published with gaps {gaps}")
    return wrong + await memberships_alternate(db, log)


async def memberships_alternate(db: asyncpg.Connection, log: EventLog) -> list[str]:
    seen: set[str] = set()
    inside: set[tuple[str, str]] = set()
    wrong: list[str] = []
    for record in await read_all(log, [SEGMENT_CHANGED]):
        change = decode_segment_changed(record.value)
        if change.message_id in seen:
            continue
        seen.add(change.message_id)
        who = (change.profile_id, change.segment)
        if (who in inside) == (change.change == "entered"):
            wrong.append(f"{who} {change.change} twice")
        inside.symmetric_difference_update({who})
    rows = await db.fetch("SELECT profile_id, segment FROM segmentation.membership")
    return wrong + [
        f"{who} is told and stored differently"
        for who in inside ^ {(row["profile_id"], row["segment"]) for row in rows}
    ]


async def memberships_are_true(db: asyncpg.Connection) -> tuple[int, list[str]]:
    """I7: the stored memberships are what the rules say of the stored profiles now."""
    rules = {
        row["key"]: parse(msgspec.json.decode(row["rule"]))
        for row in await db.fetch("SELECT key, rule FROM segmentation.segment WHERE NOT deleted")
    }
    compiled = {key: compile_rule(rule) for key, rule in rules.items()}
    async with db.transaction(isolation="repeatable_read"):
        people = await db.fetch("SELECT profile_id, snapshot FROM profile.profile")
        rows = await db.fetch("SELECT profile_id, segment FROM segmentation.membership")
        now = wall_clock()
    stored: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        stored[row["profile_id"]].add(row["segment"])
    wrong: list[str] = []
    for row in people:
        person = Person(decode_snapshot(row["snapshot"]))
        true = {key for key, rule in compiled.items() if rule.evaluate(person, now).matches}
        if true != stored.pop(row["profile_id"], set()):
            wrong.append(f"memberships of {row['profile_id']} are not {sorted(true)}")
    wrong += [f"{profile_id} is gone and still in {keys}" for profile_id, keys in stored.items()]
    return len(people), wrong


async def hot_copies_are_current(db: asyncpg.Connection, url: str) -> list[str]:
    """I8: what Redis has of a profile is PostgreSQL's version."""
    client = redis.asyncio.from_url(url)
    wrong = []
    for row in await db.fetch("SELECT profile_id, version FROM profile.profile"):
        copy = await client.get(f"p:{row['profile_id']}")
        if copy and (version := decode_snapshot(copy).version) != row["version"]:
            wrong.append(f"{row['profile_id']}: Redis has {version} of {row['version']}")
    await client.aclose()
    return wrong
