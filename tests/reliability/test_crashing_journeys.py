"""Thousands of people on a journey while the workers that take them along are killed at random."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.builders import an_event
from tests.engagement.harness import SECRET, Instance, a_change, an_instance, reachable, record_of
from tests.engagement.receiver import SECRET as SIGNING_SECRET
from tests.engagement.receiver import Receiver, a_receiver
from tests.reliability.invariants import read_all
from tests.reliability.platform import Platform, eventually
from tests.reliability.test_faults import BATCH_STEPS, TIMER_STEPS
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.events import decode_event
from zhiyin.contracts.topics import PROFILE_CHANGED, topic_of
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.log import EventLog, Message
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.settings import ServiceSettings

PEOPLE = 5_000
SEED = 20_260_302
INSTANCES = ("engagement-1", "engagement-2")
JOURNEY = {
    "key": "five-steps",
    "name": "五步",
    "purpose": "transactional",
    "trigger": {"on": "event", "type": "custom.begin"},
    "steps": [
        {"coupon": "back-30"},
        {"webhook": {"channel": "hook"}},
        {"wait": "2s"},
        {"tag": "through"},
        {"message": {"channel": "hook", "template": "win-back-2"}},
    ],
}
SENT = {("1", "webhook"), ("4", "message")}

pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("journeys on PostgreSQL"),
]


@pytest.fixture
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    """Engagement alone, in two processes: what it is told comes straight from the log."""
    found = Platform(tmp_path_factory.mktemp("journeys"))
    found.settings |= {"ZHIYIN_SESSION_SECONDS": "3", "ZHIYIN_SECRET_KEY": SECRET}
    try:
        services = {"gateway": 0, "profile": 0, "segmentation": 0, "engagement": 2}
        await asyncio.to_thread(found.start, **services)
        await found.ready()
        yield found
    finally:
        await asyncio.to_thread(found.stop)


async def test_five_thousand_people_act_once_at_every_step_whatever_is_killed(
    platform: Platform,
) -> None:
    async with a_receiver() as receiver, an_instance(platform.postgres.dsn) as ops:
        await ops.end_built_in()
        config = {"url": receiver.url, "secret": SIGNING_SECRET, "concurrency": 32}
        await ops.settings.put_channel("hook", ChannelSpec("webhook", config))
        await ops.launch(JOURNEY)
        log = open_log(ServiceSettings(postgres=platform.postgres.dsn, redis="", secret_key=SECRET))
        await log.start()
        try:
            crowd = Crowd(log)
            killed = await killing(platform, crowd)
            await crowd.send(PEOPLE)
            await eventually(lambda: arrived(ops), 240, "everybody has arrived")
            await everything_happened_once(ops, receiver, log)
        finally:
            await log.stop()
    repeats = receiver.taken.total() - len(receiver.taken)
    print(f"killed {killed}; {len(receiver.taken)} effects, {repeats} repeated deliveries")


class Crowd:
    """People who begin, a few at a time, so that some are at every step whenever somebody dies."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._next = 0

    async def send(self, count: int) -> None:
        numbers = range(self._next, min(self._next + count, PEOPLE))
        self._next = numbers.stop
        begins = an_event("custom.begin", wall_clock())
        changes = [
            a_change([begins], profile_id=f"p-{number}", identifiers=reachable())
            for number in numbers
        ]
        records = map(record_of, changes)
        await self._log.append([Message(PROFILE_CHANGED, each.key, each.value) for each in records])


async def killing(platform: Platform, crowd: Crowd) -> Counter[str]:
    """At every step at which a process may die, in drawn order and shared out to the two; in
    between at whatever instant it happens to be."""
    chance, steps = random.Random(SEED), [*BATCH_STEPS, *TIMER_STEPS]
    chance.shuffle(steps)
    killed: Counter[str] = Counter()

    async def kill_one(name: str, share: list[str]) -> None:
        for step in share:
            if platform.workers[name].alive:
                await asyncio.sleep(chance.uniform(0.1, 0.5))
                await asyncio.to_thread(platform.workers[name].kill)
                killed["anywhere"] += 1
            platform.launch(name, ZHIYIN_FAULT=f"{step}:1")
            killed[step] += await _dies(platform, name, crowd)
        platform.launch(name)

    await asyncio.gather(*(kill_one(name, steps[place::2]) for place, name in enumerate(INSTANCES)))
    assert set(steps) <= killed.keys()
    return killed


async def _dies(platform: Platform, name: str, crowd: Crowd) -> int:
    """As it must, sooner or later, while there is something to do."""
    while platform.workers[name].alive:
        await crowd.send(20)
        await asyncio.sleep(0.3)
    process = platform.workers[name].process
    assert process is not None
    assert process.returncode == -signal.SIGKILL
    return 1


async def arrived(ops: Instance) -> bool:
    [over] = await ops.fetch("SELECT count(*) FROM run WHERE state = 'done'")
    [waiting] = await ops.fetch("SELECT count(*) FROM delivery")
    return over[0] == PEOPLE and waiting[0] == 0


async def everything_happened_once(ops: Instance, receiver: Receiver, log: EventLog) -> None:
    people = {f"p-{number}" for number in range(PEOPLE)}
    bodies = {each["action_id"]: each for each in map(msgspec.json.decode, receiver.bodies)}
    taken = [bodies[action_id] for action_id in receiver.taken]
    effects = Counter((body["profile_id"], body["step"]) for body in taken)
    assert effects == Counter({(person, step): 1 for person in people for step, _ in SENT})
    actions = await ops.fetch("SELECT step, kind, state, count(*) FROM action GROUP BY 1, 2, 3")
    steps = {("0", "coupon"), ("3", "tag"), *SENT}
    assert {tuple(row) for row in actions} == {(*step, "sent", PEOPLE) for step in steps}
    coupons = await ops.fetch("SELECT count(*), count(DISTINCT profile_id) FROM coupon")
    assert tuple(coupons[0]) == (PEOPLE, PEOPLE)
    assert await ops.fetch("SELECT 1 FROM timer WHERE kind = 'run'") == []
    assert await ops.fetch("SELECT 1 FROM dead_letter") == []
    events = [
        decode_event(each.value) for each in await read_all(log, [topic_of("customer.tagged")])
    ]
    tagged = {event.event_id: event.customer["profile_id"] for event in events}
    assert Counter(tagged.values()) == Counter(people)
