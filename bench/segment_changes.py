"""(b) Segmentation, one process: profile changes decided per second, by number of live segments.

Everybody has a year behind them and is known to the service when the clock starts; what is timed is
the news of the last hour. The same people and the same news come with every number of segments.
"""

import asyncio
import random
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
from msgspec import Raw
from msgspec.json import encode as encode_json
from msgspec.structs import replace

from bench.brand_segments import CITIES, brand_segments
from bench.gateway_door import up
from bench.report import Figure
from bench.segments_in_force import only_segments
from bench.servers import Servers, servers
from bench.streams import END, events
from services.profile.domain.fold import NOBODY, Folded, fold
from services.profile.domain.packed import unpack
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Reader
from zhiyin.contracts.events import Event, encode_event
from zhiyin.contracts.instants import moment
from zhiyin.contracts.profiles import Cause, ProfileChanged, Snapshot, encode
from zhiyin.contracts.topics import PROFILE_CHANGED
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.log import Message
from zhiyin.runtime.log.kafka import KafkaLog

PEOPLE: Final = 2_000
HISTORY: Final = 40_000
# Segments → changes timed: fewer where each takes longer, to end in bounded time.
SIZES: Final = {10: 16_000, 100: 16_000, 1_000: 8_000, 5_000: 4_000}


class Population(NamedTuple):
    """`known`: each person as of an hour ago; `news`: what has happened since, one message each."""

    known: Sequence[Message]
    news: Sequence[Message]


class Speed(NamedTuple):
    changes: float
    flips: float
    memberships: float


def changes(count: int, people: int) -> Iterator[Message]:
    """What the profile service would say of `count` events of a year, one message each."""
    return _told(events(count, people))


def population(people: int, history: int, news: int) -> Population:
    now = moment(wall_clock())
    lives = events(history + news, people)
    before = [replace(one, occurred_at=one.occurred_at - (END - now)) for one in _said(people)]
    before += islice(
        _dated(lives, now - timedelta(days=365), timedelta(days=364) / history), history
    )
    since = _dated(lives, now - timedelta(hours=1), timedelta(hours=1) / news)
    told = list(_told([*before, *since]))
    latest = {message.key: message for message in told[: len(before)]}
    return Population(list(latest.values()), told[len(before) :])


def _dated(lives: Iterable[Event], start: datetime, step: timedelta) -> Iterator[Event]:
    for number, event in enumerate(lives):
        at = start + step * number
        yield replace(event, occurred_at=at, received_at=at)


def _said(people: int) -> Iterator[Event]:
    """What everybody said of themselves when they became a member."""
    rng = random.Random(5)
    for person in range(people):
        attributes = {
            "city": rng.choice(CITIES),
            "gender": rng.choice("fm"),
            "birthday": f"{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        }
        yield Event(
            event_id=f"said-{person}",
            type="customer.updated",
            occurred_at=END - timedelta(days=366),
            received_at=END,
            source="bench",
            customer={"member_id": f"M{person}"},
            properties=Raw(
                encode_json({"attributes": attributes, "consents": {"marketing.sms": True}})
            ),
        )


def _told(happened: Iterable[Event]) -> Iterator[Message]:
    reader = Reader("CNY", ZoneInfo("Asia/Shanghai"))
    state: dict[str, tuple[int, Folded]] = {}
    for event in happened:
        member = event.customer["member_id"]
        read = reader.read(encode_event(event), 1 << 60)
        assert isinstance(read, PersonEvent)
        version, before = state.get(member, (0, Folded(NOBODY, frozenset())))
        after = fold(before.facts, [read], PLAIN)
        assert isinstance(after, Folded)
        state[member] = (version + 1, after)
        yield _message(member, version + 1, read, after)


def _message(member: str, version: int, read: PersonEvent, after: Folded) -> Message:
    profile_id = str(uuid.uuid5(uuid.NAMESPACE_OID, member))
    snapshot = Snapshot(profile_id, version, read.at, read.at, unpack(after.facts))
    cause = Cause(
        read.event_id, read.type, read.source, read.at, read.received_at, False, Raw(read.whole)
    )
    message = ProfileChanged(
        message_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{profile_id}:{version}")),
        at=read.at,
        snapshot=snapshot,
        changed=tuple(sorted(after.changed)),
        cause=(cause,),
    )
    return Message(PROFILE_CHANGED, profile_id, encode(message))


async def measure(machine: Servers, segments: int, people: Population) -> Speed:
    """From the first piece of news to the last."""
    machine.run("segmentation", "migrate")
    assert machine.kafka is not None
    log = KafkaLog(machine.kafka.url, client_id="bench")
    await log.start()
    db = await asyncpg.connect(machine.postgres.dsn)
    await only_segments(db, brand_segments(segments))
    with machine.serving("segmentation") as (_, url):
        await up(url)
        await _decided(log, db, people.known)
        members, known, before = await _counted(db)
        started = time.perf_counter()
        await _decided(log, db, people.news)
        seconds = time.perf_counter() - started
        _, _, after = await _counted(db)
    await db.close()
    await log.stop()
    news = len(people.news)
    return Speed(news / seconds, (after - before) / news, members / known)


async def _decided(log: KafkaLog, db: asyncpg.Connection, messages: Sequence[Message]) -> None:
    """Sent, and worked off."""
    query = "SELECT coalesce(sum(next), 0) FROM segmentation.position"
    end = int(await db.fetchval(query)) + len(messages)
    for at in range(0, len(messages), 2_000):
        await log.append(messages[at : at + 2_000])
    while await db.fetchval(query) < end:
        await asyncio.sleep(0.05)


async def _counted(db: asyncpg.Connection) -> tuple[int, int, int]:
    """Memberships, people, and how often anybody has entered or left anything."""
    return tuple(
        await db.fetchrow(
            """
            SELECT (SELECT sum(members) FROM segmentation.tally)::bigint,
                   (SELECT count(*) FROM segmentation.person),
                   (SELECT sum(entered + "left") FROM segmentation.tally_day)::bigint
            """
        )
    )


def run() -> Sequence[Figure]:
    people = population(PEOPLE, HISTORY, max(SIZES.values()))
    speeds: dict[int, Speed] = {}
    for segments, count in SIZES.items():
        with servers(kafka=True) as machine:
            some = Population(people.known, people.news[:count])
            speeds[segments] = asyncio.run(measure(machine, segments, some))
    return [
        *(each for segments, speed in speeds.items() for each in _figures(segments, speed)),
        Figure("1,000 against 100 segments", speeds[1_000].changes / speeds[100].changes, "×"),
    ]


def _figures(segments: int, speed: Speed) -> Iterator[Figure]:
    yield Figure(f"{segments:,} segments", speed.changes, "changes/s")
    yield Figure("  entered or left, a change", speed.flips, "")
    yield Figure("  segments a person is in", speed.memberships, "")
