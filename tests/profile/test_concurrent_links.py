"""Links that arrive on several partitions at once, at two instances."""

import asyncio
import random

from tests.builders import START, a_browse, a_link, a_purchase
from tests.profile.harness import Service, a_service
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import SECOND


async def at_once(services: list[Service], batches: list[list[Event]]) -> None:
    async with asyncio.TaskGroup() as group:
        for number, batch in enumerate(batches):
            group.create_task(services[number % len(services)].apply(*batch))


async def test_links_in_a_circle_end_in_one_person(fresh_database: str, fresh_redis: str) -> None:
    async with (
        a_service(fresh_database, fresh_redis) as one,
        a_service(fresh_database, fresh_redis) as two,
    ):
        ids = ({"phone": "a"}, {"email": "b"}, {"openid": "c"})
        for turn in range(10):
            a, b, c = ({name: f"{value}{turn}" for name, value in who.items()} for who in ids)
            for who in (a, b, c):
                [(name, token)] = who.items()
                await one.apply(a_purchase(START, customer=who, order_id=f"{name}-{token}"))
            await at_once(
                [one, two],
                [[a_link(START, customer=x | y)] for x, y in ((a, b), (b, c), (c, a))],
            )
            owners = {
                await one.owner(name, value) for who in (a, b, c) for name, value in who.items()
            }
            assert len(owners) == 1
        people = await one.people()
        assert [person.facts.orders.count for person in people] == [3] * 10
        await one.check_plain_fold()


async def test_many_links_at_once_neither_deadlock_nor_lose(
    fresh_database: str, fresh_redis: str
) -> None:
    chance = random.Random(7)
    async with (
        a_service(fresh_database, fresh_redis) as one,
        a_service(fresh_database, fresh_redis) as two,
    ):
        pool = [("device_id", f"d{n}") for n in range(40)] + [("email", f"e{n}") for n in range(40)]
        pool += [("member_id", f"M{n}") for n in range(15)]
        events = [
            a_browse(START + n * SECOND, customer=dict(chance.sample(pool, 2)), event_id=f"e{n}")
            for n in range(400)
        ]
        batches = [events[start : start + 20] for start in range(0, 400, 20)]
        for group in range(0, len(batches), 5):
            await at_once([one, two], batches[group : group + 5])
        people = await one.people()
        assert sum(person.facts.seen["browse.viewed"].count for person in people) == 400
        members = [
            token for person in people for token in person.facts.identifiers.get("member_id", ())
        ]
        assert len(members) == len(set(members)), "a member id is of one person"
        assert all(len(p.facts.identifiers.get("member_id", ())) <= 1 for p in people)
        await one.check_plain_fold()
