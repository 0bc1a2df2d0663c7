"""When the event log is away, cut short or another one: refuse, wait, or halt; never guess."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.reliability.house import House
from tests.reliability.platform import Platform, eventually
from tests.reliability.scenario import launch_pings, log_of
from tests.reliability.workload import this_moment
from zhiyin.contracts.topics import EVENTS
from zhiyin.embedded.kafka import Kafka

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]
HALTED = 3


@pytest.fixture
def kafka(local_kafka: None, tmp_path: Path) -> Iterator[Kafka]:
    """A broker of the test's own, to be stopped and robbed."""
    cluster = Kafka(tmp_path / "kafka", tmp_path, os.environ)
    cluster.start()
    yield cluster
    cluster.stop()


async def a_platform(folder: Path, kafka: str | None) -> Platform:
    platform = Platform(folder, kafka=kafka, partitions=4)
    await asyncio.to_thread(platform.start)
    await platform.ready()
    await launch_pings(platform)
    return platform


def one_event(number: int) -> dict[str, Any]:
    return {
        "event_id": f"while-away-{number}",
        "type": "custom.note",
        "occurred_at": this_moment().isoformat(),
        "customer": {"member_id": f"M{number}"},
    }


@pytest.mark.kafka
async def test_without_a_broker_the_door_says_503_and_everything_recovers(
    kafka: Kafka, tmp_path: Path
) -> None:
    platform = await a_platform(tmp_path, kafka.url)
    try:
        house = House(platform)
        await house.post_some()
        await asyncio.to_thread(kafka.kill_broker, 1)
        async with platform.client() as client:
            answers = await asyncio.gather(
                *(client.post("/v1/events", json=one_event(n)) for n in range(20))
            )
            assert {answer.status_code for answer in answers} <= {503, 429}
            for answer in answers:
                assert int(answer.headers["retry-after"]) > 0
                assert answer.headers["content-type"] == "application/problem+json"
            known = house.accepted[0]["customer"]
            namespace, value = next(iter(known.items()))
            read = await client.get(f"/v1/profiles/by/{namespace}/{value}")
            assert read.status_code == 200
        await asyncio.sleep(10)
        await asyncio.to_thread(kafka.start_broker, 1)
        await house.post_some()
        # What was answered 503 may or may not have been written: the storefront sends it again.
        again = [one_event(n) for n in range(20)]
        async with platform.client() as client:
            for event in again:
                answer = await client.post("/v1/events", json=event)
                assert answer.status_code == 202, answer.text
        house.accepted += again
        await house.is_whole()
    finally:
        await asyncio.to_thread(platform.stop)


async def truncate_in_postgres(platform: Platform) -> None:
    db = await asyncpg.connect(platform.postgres.dsn)
    await db.execute("TRUNCATE log.chunk")
    await db.execute("UPDATE log.head SET first = 0, next = 0 WHERE topic LIKE 'events.%'")
    await db.close()


async def recreate_in_kafka(platform: Platform) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=platform.kafka)
    await admin.start()
    await admin.delete_topics(list(EVENTS))
    await asyncio.sleep(3)
    await admin.close()
    log = log_of(platform)
    await log.start()
    await log.ensure_topics(EVENTS, 4)
    await log.stop()


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("postgres", id="log in PostgreSQL"),
        pytest.param("kafka", id="log in Apache Kafka", marks=pytest.mark.kafka),
    ],
)
async def test_a_log_that_was_cut_short_or_made_anew_halts_the_worker_loudly(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cluster: Kafka | None = request.getfixturevalue("kafka") if kind == "kafka" else None
    platform = await a_platform(tmp_path, cluster.url if cluster else None)
    try:
        house = House(platform)
        await house.post_some()
        await house.is_whole()
        worker = platform.workers["profile-1"]
        await asyncio.to_thread(worker.kill)
        await (recreate_in_kafka(platform) if cluster else truncate_in_postgres(platform))
        platform.launch("profile-1")
        await eventually(lambda: not worker.alive, 60, "the worker halts")
        assert worker.process is not None
        assert worker.process.returncode == HALTED
        said = worker.log.read_text().splitlines()[-20:]
        assert any('"event":"halted"' in line and "events." in line for line in said), said
    finally:
        await asyncio.to_thread(platform.stop)
