"""A day's events while processes and servers die in turn; afterwards nothing is amiss."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.reliability.platform import Platform, post
from tests.reliability.scenario import check_everything, drained, launch_pings, log_of, quiet_logs
from tests.reliability.workload import generate, this_moment
from zhiyin.contracts.topics import topic_of
from zhiyin.embedded.kafka import Kafka
from zhiyin.runtime.log import Message

EVENTS_PER_PERSON = 16
POISON = (
    b"not json at all",
    b'{"event_id":"p1","type":"purchase.imagined","occurred_at":"2026-01-01T00:00:00Z",'
    b'"customer":{"member_id":"M"}}',
    b'{"event_id":"p2","type":"purchase.completed","occurred_at":"2026-01-01T00:00:00Z",'
    b'"customer":{"member_id":"M"},"properties":{"order_id":7}}',
    b"\xff\xfe\x00",
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1_800)]


async def poison(platform: Platform) -> None:
    """Somebody produces rubbish straight to a topic."""
    log = log_of(platform)
    await log.start()
    topic = topic_of("purchase.completed")
    await log.append([Message(topic, f"member_id:{n}", value) for n, value in enumerate(POISON)])
    await log.stop()


async def kill_somebody(platform: Platform, rng: random.Random) -> None:
    name = rng.choice(sorted(platform.workers))
    await asyncio.to_thread(platform.workers[name].kill)
    await asyncio.sleep(rng.random())
    platform.launch(name)


async def restart_postgres(platform: Platform) -> None:
    await asyncio.to_thread(platform.postgres.kill)
    await asyncio.to_thread(platform.postgres.start)


async def restart_redis(platform: Platform) -> None:
    await asyncio.to_thread(platform.valkey.kill)
    await asyncio.sleep(1)
    await asyncio.to_thread(platform.valkey.start)


async def chaos(
    platform: Platform, faults: list[Callable[[], Awaitable[None]]], done: asyncio.Event
) -> None:
    """One kill every two seconds, and the big faults spread between them; then all are revived."""
    rng = random.Random(11)
    beats = 0
    while faults or not done.is_set():
        await asyncio.sleep(2)
        beats += 1
        if faults and beats % 4 == 0:
            await faults.pop(0)()
        else:
            await kill_somebody(platform, rng)
        platform.revive()


@pytest.fixture
async def platform(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Platform]:
    kafka = request.getfixturevalue("kafka_cluster") if request.param == "kafka" else None
    started = Platform(tmp_path, kafka=kafka.url if kafka else None)
    try:
        await asyncio.to_thread(started.start, profile=2, segmentation=2, engagement=2, gateway=2)
        await started.ready()
        yield started
    finally:
        await asyncio.to_thread(started.stop)


async def restart_broker(cluster: Kafka) -> None:
    await asyncio.to_thread(cluster.kill_broker, 1)
    await asyncio.sleep(2)
    await asyncio.to_thread(cluster.start_broker, 1)


@pytest.mark.parametrize(
    "platform",
    [
        pytest.param("postgres", id="log in PostgreSQL"),
        pytest.param(
            "kafka", id="log in Apache Kafka", marks=(pytest.mark.kafka, pytest.mark.soak)
        ),
    ],
    indirect=True,
)
async def test_nothing_is_lost_or_doubled_while_everything_dies_in_turn(
    platform: Platform, request: pytest.FixtureRequest
) -> None:
    await launch_pings(platform)
    events: int = request.config.getoption("--events")
    load = generate(events, events // EVENTS_PER_PERSON, seed=5, now=this_moment())
    faults: list[Callable[[], Awaitable[None]]] = [
        lambda: restart_postgres(platform),
        lambda: restart_redis(platform),
    ]
    if platform.kafka:
        cluster: Kafka = request.getfixturevalue("kafka_cluster")
        faults.append(lambda: restart_broker(cluster))
    posted = asyncio.Event()
    storm = asyncio.create_task(chaos(platform, faults, posted))
    async with platform.client() as client:
        result = await post(client, load.stream)
    await poison(platform)
    posted.set()
    await storm
    await platform.ready()
    await drained(platform)
    assert {one["event_id"] for one in result["rejected"]} == {
        one["event_id"] for one in load.broken
    }
    await check_everything(platform, load.valid, load.pings, dead=len(POISON))
    assert quiet_logs(platform) == []
