"""One fault at a time, with two instances of every worker; afterwards I1 to I8 hold."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis.asyncio

from tests.reliability.house import House
from tests.reliability.platform import Platform, eventually
from tests.reliability.proxy import Proxy
from tests.reliability.scenario import launch_pings
from tests.reliability.test_soak import POISON, poison

BATCH_STEPS = (
    "gained",
    "after_fetch",
    "after_fence",
    "after_apply",
    "before_commit",
    "after_commit",
    "after_publish",
    "after_settle",
)
TIMER_STEPS = ("timers_claimed", "timers_fired", "timers_committed")

# The tests of one house follow each other in one process.
ON_POSTGRES = (pytest.mark.xdist_group("house on PostgreSQL"),)
ON_KAFKA = (pytest.mark.kafka, pytest.mark.xdist_group("house on Apache Kafka"))

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("postgres", id="log in PostgreSQL", marks=ON_POSTGRES),
        pytest.param("kafka", id="log in Apache Kafka", marks=ON_KAFKA),
    ],
)
async def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    kafka = request.getfixturevalue("kafka_url") if request.param == "kafka" else None
    platform = Platform(tmp_path_factory.mktemp("house"), kafka=kafka)
    platform.settings["ZHIYIN_SESSION_SECONDS"] = "8"
    try:
        await asyncio.to_thread(platform.start, profile=2, segmentation=2, engagement=2, gateway=2)
        await platform.ready()
        await launch_pings(platform)
        yield House(platform)
    finally:
        await asyncio.to_thread(platform.stop)


async def relaunch(platform: Platform, name: str, **extra: str) -> None:
    await asyncio.to_thread(platform.workers[name].kill)
    platform.launch(name, **extra)


def killings() -> Iterator[object]:
    """Every step with the log in PostgreSQL, in two services at once; with Apache Kafka those next
    to the log."""
    others = (
        ("segmentation", "before_commit"),
        ("segmentation", "after_commit"),
        ("engagement", "after_commit"),
        *(("engagement", step) for step in TIMER_STEPS),
    )
    for step, other in zip_longest(BATCH_STEPS, others):
        faults = [("profile", step), *([other] if other else [])]
        name = " and ".join("-".join(fault) for fault in faults)
        yield pytest.param("postgres", faults, id=f"log in PostgreSQL-{name}", marks=ON_POSTGRES)
    for step in ("gained", "after_commit", "after_publish"):
        name = f"log in Apache Kafka-profile-{step}"
        yield pytest.param("kafka", [("profile", step)], id=name, marks=ON_KAFKA)


@pytest.mark.parametrize(("house", "faults"), list(killings()), indirect=["house"], scope="module")
async def test_workers_killed_at_any_step_lose_and_double_nothing(
    house: House, faults: list[tuple[str, str]]
) -> None:
    workers = house.platform.workers
    for service, step in faults:
        times = 1 if step == "gained" else 2
        await relaunch(house.platform, f"{service}-1", ZHIYIN_FAULT=f"{step}:{times}")
    names = [f"{service}-1" for service, _ in faults]
    async with asyncio.timeout(120):
        while any(workers[name].alive for name in names):
            await house.post_some(100, 20)
    for name in names:
        process = workers[name].process
        assert process is not None
        assert process.returncode == -signal.SIGKILL
    await house.is_whole()


async def test_a_frozen_worker_that_wakes_after_it_was_replaced_writes_nothing(
    house: House,
) -> None:
    async def freeze() -> None:
        for service in ("profile", "engagement"):
            house.platform.workers[f"{service}-1"].kill(signal.SIGSTOP)
        await asyncio.sleep(15)
        for service in ("profile", "engagement"):
            house.platform.workers[f"{service}-1"].kill(signal.SIGCONT)

    await house.post_during(freeze())
    await house.is_whole()


async def test_a_commit_whose_answer_is_lost_counts_once(house: House) -> None:
    platform = house.platform
    proxy = Proxy(platform.postgres.port)
    await proxy.start()
    parts = urlsplit(platform.postgres.dsn)
    through = urlunsplit(parts._replace(netloc=f"postgres@127.0.0.1:{proxy.listen}"))
    for name in ("profile-1", "segmentation-1", "engagement-1"):
        await relaunch(platform, name, ZHIYIN_POSTGRES=through)
    await platform.ready()
    proxy.swallow_commits = 6
    while proxy.swallow_commits:
        await house.post_some(200, 30)
    assert proxy.swallowed == 6
    for name in ("profile-1", "segmentation-1", "engagement-1"):
        await relaunch(platform, name)
    await proxy.stop()
    await house.is_whole()


async def test_members_that_come_and_go_take_nothing_with_them(house: House) -> None:
    async def churn() -> None:
        for number in range(3):
            for service in ("profile", "segmentation", "engagement"):
                how = signal.SIGTERM if number % 2 else signal.SIGKILL
                await asyncio.to_thread(house.platform.workers[f"{service}-2"].kill, how)
            await asyncio.sleep(3)
            house.platform.revive()
            await asyncio.sleep(3)

    await house.post_during(churn(), rounds=4)
    await house.is_whole()


async def test_rubbish_on_a_topic_ends_as_dead_letters_and_stops_nobody(house: House) -> None:
    await poison(house.platform)
    house.dead += len(POISON)
    await house.post_some()
    await house.is_whole()
    async with house.platform.client() as client:
        letters = (await client.get("/v1/dead-letters")).json()["items"]
    assert len(letters) >= len(POISON)
    assert all(letter["reason"] for letter in letters)


async def test_an_emptied_redis_makes_reads_slower_never_wrong(house: House) -> None:
    await house.post_some()
    store = redis.asyncio.from_url(house.platform.valkey.url)
    await store.flushall()
    some = house.accepted[-50:]
    async with house.platform.client() as client:
        for event in some:
            namespace, value = next(iter(event["customer"].items()))
            answer = await client.get(f"/v1/profiles/by/{namespace}/{value}")
            assert answer.status_code in (200, 404), answer.text
    await house.is_whole()
    await store.aclose()


async def test_a_frozen_redis_holds_nobody_up(house: House) -> None:
    process = house.platform.valkey.process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        await house.post_some()
        known = next(event for event in house.accepted if "member_id" in event["customer"])
        path = f"/v1/profiles/by/member_id/{known['customer']['member_id']}"
        async with house.platform.client() as client:
            assert (await client.get(path)).status_code == 200
    finally:
        os.kill(process.pid, signal.SIGCONT)
    await house.is_whole()


async def test_postgres_gone_for_a_while_is_waited_for(house: House) -> None:
    async def away() -> None:
        await asyncio.to_thread(house.platform.postgres.kill)
        await asyncio.sleep(8)
        await asyncio.to_thread(house.platform.postgres.start)

    await house.post_during(away(), rounds=2)
    await house.is_whole()


async def test_no_worker_had_to_halt(house: House) -> None:
    logs = [Path(worker.log) for worker in house.platform.workers.values()]
    halted = [log.name for log in logs if "halted" in log.read_text(errors="replace")]
    assert halted == []
    await eventually(lambda: all(w.alive for w in house.platform.workers.values()), 30, "alive")
