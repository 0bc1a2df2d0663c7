"""(b) Segmentation, one process: profile changes decided per second, by number of live segments."""

import asyncio
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from msgspec import Raw

from bench.gateway_door import up
from bench.report import Figure
from bench.segments_in_force import only_segments
from bench.servers import Servers, servers
from bench.streams import CATEGORIES, events
from services.profile.domain.fold import NOBODY, Folded, fold
from services.profile.domain.packed import unpack
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Reader
from zhiyin.contracts.events import encode_event
from zhiyin.contracts.profiles import Cause, ProfileChanged, Snapshot, encode
from zhiyin.contracts.topics import PROFILE_CHANGED
from zhiyin.runtime.log import Message
from zhiyin.runtime.log.kafka import KafkaLog


def changes(count: int, people: int) -> Iterator[Message]:
    """What the profile service would say of `count` events, one message each."""
    reader = Reader("CNY", ZoneInfo("Asia/Shanghai"))
    state: dict[str, tuple[int, Folded]] = {}
    for event in events(count, people):
        member = event.customer["member_id"]
        read = reader.read(encode_event(event), 1 << 60)
        assert isinstance(read, PersonEvent)
        version, before = state.get(member, (0, Folded(NOBODY, frozenset())))
        after = fold(before.facts, [read], PLAIN)
        assert isinstance(after, Folded)
        state[member] = (version + 1, after)
        profile_id = str(uuid.uuid5(uuid.NAMESPACE_OID, member))
        snapshot = Snapshot(profile_id, version + 1, read.at, read.at, unpack(after.facts))
        cause = Cause(
            read.event_id, read.type, read.source, read.at, read.received_at, False, Raw(read.whole)
        )
        message = ProfileChanged(
            message_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{profile_id}:{version + 1}")),
            at=read.at,
            snapshot=snapshot,
            changed=tuple(sorted(after.changed)),
            cause=(cause,),
        )
        yield Message(PROFILE_CHANGED, profile_id, encode(message))


def rules(count: int) -> Iterator[Any]:
    """Rules of the kinds operators write: what was bought, how much, how recently, how often."""
    for number in range(count):
        category = CATEGORIES[number % len(CATEGORIES)]
        days = 7 + number % 180
        yield (
            {"fact": f"categories.{category}.orders", "op": "gte", "value": 1 + number % 9},
            {"last": {"event": "purchase.completed"}, "older_than": f"{days}d"},
            {
                "count": {
                    "event": "browse.viewed",
                    "where": {"category": category},
                    "within": f"{days}d",
                },
                "op": "gte",
                "value": 1 + number % 5,
            },
            {
                "all": [
                    {"fact": "orders.total", "op": "gte", "value": 100 * (number % 70)},
                    {"fact": "lifecycle.stage", "op": "in", "value": ["repeat", "loyal"]},
                ]
            },
            {"fact": "attributes.city", "op": "eq", "value": f"city {number}"},
        )[number % 5]


async def decided(db: asyncpg.Connection) -> int:
    return int(await db.fetchval("SELECT coalesce(sum(next), 0) FROM segmentation.position"))


async def rate(machine: Servers, segments: int, messages: Sequence[Message]) -> float:
    """Changes per second from the first to the last."""
    machine.run("segmentation", "migrate")
    assert machine.kafka is not None
    log = KafkaLog(machine.kafka.url, client_id="bench")
    await log.start()
    db = await asyncpg.connect(machine.postgres.dsn)
    await only_segments(db, {f"bench-{n}": rule for n, rule in enumerate(rules(segments))})
    with machine.serving("segmentation") as (_, url):
        await up(url)
        before = await decided(db)
        started = time.perf_counter()
        for at in range(0, len(messages), 2_000):
            await log.append(messages[at : at + 2_000])
        while await decided(db) < before + len(messages):
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - started
    await db.close()
    await log.stop()
    return len(messages) / seconds


def run(most: int = 20_000, moves: int = 4_000_000) -> Sequence[Figure]:
    """Ten changes a person; the more segments, the fewer changes, to end in bounded time."""
    figures = []
    for segments in (10, 100, 1_000, 5_000):
        count = min(most, moves // segments)
        messages = list(changes(count, count // 10))
        with servers(kafka=True) as machine:
            figures.append(
                Figure(
                    f"{segments} segments",
                    asyncio.run(rate(machine, segments, messages)),
                    "changes/s",
                )
            )
    return figures
