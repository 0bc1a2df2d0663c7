"""On the real store: however events are shuffled, repeated and batched, merging is commutative and
associative, and un-merging is its inverse."""

import itertools
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from services.profile.domain.packed import PackedFacts, decode_packed
from tests.builders import START, a_browse, a_purchase, a_refund, a_ticket, an_update
from tests.profile.harness import Service
from tests.profile.test_unmerge import a_merge, an_unmerge, differing, whole
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import MINUTE, SECOND
from zhiyin.contracts.profiles import encode

_numbers = itertools.count()
PEOPLE = 3
# How three become one: (who is kept, who is absorbed), twice.
WAYS = [[(0, 1), (0, 2)], [(1, 2), (0, 1)], [(2, 1), (2, 0)], [(1, 0), (2, 1)]]
HAPPENINGS = st.lists(
    st.tuples(
        st.integers(0, PEOPLE - 1),
        st.sampled_from(["buy", "refund", "view", "ask", "agree", "refuse"]),
        st.integers(0, 3),
        st.integers(0, 40),
        st.booleans(),
    ),
    max_size=14,
)


def names_of(number: int, person: int) -> dict[str, str]:
    return {"member_id": f"M{number}-{person}", "phone": f"p{number}-{person}"}


def event_of(number: int, place: int, happening: tuple[int, str, int, int, bool]) -> Event:
    person, kind, which, minute, by_phone = happening
    names = names_of(number, person)
    who: dict[str, Any] = {
        "customer": {"phone": names["phone"]} if by_phone else names,
        "event_id": f"{number}-{place}",
    }
    at, order = START + minute * SECOND, f"O-{number}-{person}-{which}"
    match kind:
        case "buy":
            return a_purchase(at, order_id=order, total="20.00", **who)
        case "refund":
            return a_refund(at, order_id=order, amount="5.00", refund_id=f"R{which}", **who)
        case "view":
            return a_browse(at, category="坚果", **who)
        case "ask":
            return a_ticket(at, ticket_id=f"T-{order}", kind="complaint", **who)
        case _:
            return an_update(at, consents={"marketing.sms": kind == "agree"}, **who)


async def post(service: Service, events: list[Event], chance: random.Random) -> None:
    """Shuffled, some twice, in batches of any size."""
    waiting = events + chance.sample(events, len(events) // 3)
    chance.shuffle(waiting)
    while waiting:
        size = chance.randint(1, 5)
        await service.apply(*waiting[:size])
        waiting = waiting[size:]


async def facts_of(service: Service, profile_id: str) -> PackedFacts:
    return decode_packed(
        await service.database.pool.fetchval(
            "SELECT snapshot FROM profile WHERE profile_id = $1", profile_id
        )
    ).facts


def plain(facts: PackedFacts) -> tuple[bytes, dict[str, bool]]:
    """Which of two equal answers is kept depends on when two became one; the answer does not."""
    answers = {purpose: consent.granted for purpose, consent in facts.consents.items()}
    return encode(replace(facts, consents={})), answers


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(HAPPENINGS, st.randoms(use_true_random=False))
async def test_merging_is_commutative_and_associative_and_unmerging_undoes_it(
    service: Service, happenings: list[tuple[int, str, int, int, bool]], chance: random.Random
) -> None:
    number = next(_numbers)
    service.now = START + 10 * MINUTE
    greetings = [
        a_browse(START, customer=names_of(number, person), event_id=f"{number}-hello-{person}")
        for person in range(PEOPLE)
    ]
    await service.apply(*greetings)
    told = [event_of(number, place, one) for place, one in enumerate(happenings)]
    await post(service, told, chance)
    names = [names_of(number, person) for person in range(PEOPLE)]
    ids = [str(await service.owner("member_id", each["member_id"])) for each in names]
    before = [await whole(service, each) for each in ids]
    results = []
    for turn, way in enumerate(WAYS):
        at = START + 20 * MINUTE + turn * MINUTE
        for step, (keep, absorb) in enumerate(way):
            service.now += MINUTE
            await service.apply(a_merge(ids[keep], ids[absorb], at + step))
        kept = str(await service.owner("member_id", names[0]["member_id"]))
        results.append(plain(await facts_of(service, kept)))
        undo = [person for person in range(PEOPLE) if ids[person] != kept]
        chance.shuffle(undo)
        for step, person in enumerate(undo):
            service.now += MINUTE
            named = [f"{namespace}:{token}" for namespace, token in names[person].items()]
            await service.apply(an_unmerge(kept, *named, at=at + 10 + step))
        for known in before:
            found = differing(known, await whole(service, known.profile_id))
            assert not found, repr(found)
    assert all(result == results[0] for result in results)


async def test_the_facts_in_the_store_are_the_plain_fold_after_it_all(service: Service) -> None:
    chance = random.Random(5)
    happenings = [
        (
            chance.randrange(PEOPLE),
            chance.choice(["buy", "refund", "view", "ask", "agree", "refuse"]),
            chance.randrange(4),
            chance.randrange(40),
            chance.random() < 0.5,
        )
        for _ in range(60)
    ]
    events = [event_of(-1, place, one) for place, one in enumerate(happenings)]
    await post(service, [event for event in events if len(event.customer) == 2], chance)
    await post(service, events, chance)
    await service.check_plain_fold()
