"""Two whole workers side by side on the event log."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from services.profile.hot_copies import HotCopies
from services.profile.main import SERVICE, build_worker, migrate_all
from tests.builders import START, a_browse, a_purchase, a_refund
from tests.profile.harness import Service
from tests.workers import Servers, connected, records, running, until, until_shared
from zhiyin.contracts.events import Event, encode_event, event_key
from zhiyin.contracts.instants import HOUR
from zhiyin.contracts.profiles import decode_profile_changed
from zhiyin.contracts.topics import EVENTS, PROFILE_CHANGED, topic_of
from zhiyin.runtime.log import EventLog, Message, Partition
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.worker import Worker

PEOPLE = 40


@asynccontextmanager
async def a_worker(settings: ServiceSettings, name: str) -> AsyncIterator[Worker]:
    async with connected(settings, SERVICE) as to:
        hot = HotCopies(to.redis, to.database)
        worker = build_worker(
            settings, to.log, to.database, hot, Telemetry(SERVICE, name), settings.partitions
        )
        async with running(worker):
            yield worker


def traffic(chance: random.Random) -> list[Event]:
    """Every person on an anonymous device, by phone and as a member, linked some time."""
    events: list[Event] = []
    for n in range(PEOPLE):
        member, phone, device = f"M{n}", f"p{n}", f"d{n}"
        events += [
            a_browse(START, customer={"device_id": device}),
            a_purchase(START + HOUR, customer={"phone": phone}, order_id=f"O{n}", total="50"),
            a_purchase(START + 2 * HOUR, customer=member, order_id=f"Q{n}", total="30"),
            a_refund(START + 3 * HOUR, customer=member, order_id=f"O{n}", amount="20"),
            a_browse(START + 4 * HOUR, customer={"member_id": member, "phone": phone}),
            a_browse(START + 5 * HOUR, customer={"phone": phone, "device_id": device}),
        ]
    events += chance.sample(events, len(events) // 20)
    chance.shuffle(events)
    return events


async def told(log: EventLog) -> list[tuple[str, int]]:
    """(profile_id, version) of everything on the topic, by partition and offset."""
    changes = [decode_profile_changed(at.value) for at in await records(log, PROFILE_CHANGED)]
    return [(change.snapshot.profile_id, change.snapshot.version) for change in changes]


async def test_two_workers_make_one_profile_of_each_person(settings: ServiceSettings) -> None:
    await migrate_all(settings)
    async with connected(settings, SERVICE) as to:
        await to.log.ensure_topics([*EVENTS, PROFILE_CHANGED], settings.partitions)
        reader = Service(to.database, to.redis, HotCopies(to.redis, to.database))
        async with a_worker(settings, "one") as one, a_worker(settings, "two") as two:
            await until_shared(one, two, settings.partitions)
            messages = [
                Message(topic_of(event.type), event_key(event.customer), encode_event(event))
                for event in traffic(random.Random(3))
            ]
            batches = range(0, len(messages), 25)
            for start in batches:
                await to.log.append([*messages[start : start + 25], _broken(start)])
            await until(partial(applied, to))
            people = await reader.people()
            assert len(people) == PEOPLE
            assert {person.facts.orders.total for person in people} == {60_00}
            assert {person.facts.seen["browse.viewed"].count for person in people} == {3}
            await reader.check_plain_fold()
            broken = await to.database.pool.fetchval("SELECT count(*) FROM dead_letter")
            assert broken == len(batches)
            await until(partial(hot, to))

            async def published() -> bool:
                newest = {person.profile_id: person.version for person in people}
                return newest.items() <= dict(sorted(await told(to.log))).items()

            await until(published)
            said = await told(to.log)
            assert len(said) == len(set(said)), "each version is told once"


async def applied(to: Servers) -> bool:
    """Whether the workers are through with everything in the log."""
    ends = await to.log.ends(EVENTS)
    rows = await to.database.pool.fetch("SELECT topic, partition, next FROM position")
    positions = {Partition(topic, number): offset for topic, number, offset in rows}
    return all(positions.get(at, 0) == end for at, end in ends.items())


async def hot(to: Servers) -> bool:
    """Whether the hot copies are those of the database."""
    rows = await to.database.pool.fetch("SELECT profile_id, snapshot FROM profile")
    return all([await to.redis.get(f"p:{who}") == packed for who, packed in rows])


def _broken(number: int) -> Message:
    return Message("events.custom", f"member_id:M{number}", b'{"event_id": 7}')
