"""Facts are a function of the set of events: order, batching and duplicates make no difference."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.profile.domain.fold import NOBODY, Folded, NeedsHistory, fold, refold
from services.profile.domain.limits import LIMITS, Limits
from services.profile.domain.packed import PackedFacts, unpack
from services.profile.domain.person_event import PersonEvent, event_order
from services.profile.domain.policy import PLAIN, Policy
from tests.builders import (
    START,
    a_browse,
    a_cancellation,
    a_purchase,
    a_rating,
    a_refund,
    a_resolution,
    a_ticket,
    an_engagement,
    an_event,
    an_item,
    an_update,
)
from tests.profile.events import read
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR
from zhiyin.contracts.profiles import encode

ORDERS = st.sampled_from([f"O-{number}" for number in range(8)])
SKUS = st.sampled_from(["NUT-1", "YOGA-2", "TEA-3"])
AMOUNTS = st.sampled_from(["0", "10.00", "99.99", "259.00", 12.5])
CATEGORIES = st.sampled_from(["坚果", "健身", "茶", None])
ITEMS = st.lists(
    st.builds(
        an_item,
        SKUS,
        category=CATEGORIES,
        quantity=st.integers(1, 3),
        unit_price=st.sampled_from([None, "5.00", "19.90"]),
        pack_days=st.sampled_from([None, 30]),
    ),
    max_size=3,
)
WHO: st.SearchStrategy[dict[str, str]] = st.sampled_from(
    [{"member_id": "M1"}, {"member_id": "M1", "device_id": "D1"}, {"device_id": "D2"}]
)
# Few distinct instants over more than two windows, so that ties and pruning both happen.
ATS = st.integers(0, 12).map(lambda n: START + n * 90 * DAY + (n % 3) * HOUR)
WORDS = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"])
TICKETS = st.sampled_from(["T-1", "T-2"])


def some(builder: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    return st.builds(builder, ATS, event_id=WORDS, customer=WHO, **fields)


EVENTS = st.one_of(
    some(
        a_purchase,
        order_id=ORDERS,
        total=AMOUNTS,
        items=ITEMS,
        gift=st.booleans(),
        channel=st.sampled_from([None, "pos", "online"]),
        coupon_codes=st.sampled_from([None, ["C"]]),
    ),
    some(
        a_refund,
        order_id=ORDERS,
        amount=AMOUNTS,
        refund_id=st.sampled_from(["R-1", "R-2"]),
        items=st.lists(st.builds(an_item, SKUS, quantity=st.integers(1, 2)), max_size=1),
    ),
    some(a_cancellation, order_id=ORDERS),
    some(a_browse, category=CATEGORIES),
    some(a_ticket, ticket_id=TICKETS, kind=st.sampled_from(["question", "complaint"])),
    some(a_resolution, ticket_id=TICKETS),
    some(a_rating, ticket_id=TICKETS, score=st.integers(1, 5)),
    some(
        an_update,
        attributes=st.fixed_dictionaries({"city": st.sampled_from(["杭州", "上海", None])}),
        consents=st.fixed_dictionaries({"marketing.sms": st.booleans()}),
    ),
    some(lambda *a, **k: an_engagement("opened", *a, **k)),
    some(lambda *a, **k: an_engagement("unsubscribed", *a, **k)),
    some(lambda *a, **k: an_event("custom.weighed", *a, kg=60.5, **k)),
    some(
        lambda *a, **k: an_event("customer.noted", *a, **k),
        note_id=st.sampled_from(["N-1", "N-2", "N-3"]),
        text=st.sampled_from(["不吃香菜", "放前台"]),
        lasting=st.booleans(),
    ),
    some(lambda *a, **k: an_event("customer.unnoted", *a, note_id="N-1", **k)),
)
# So small that everything that is bounded runs over.
TINY = Policy(
    source_trust=("crm",),
    limits=Limits(
        kept_bytes={**LIMITS.kept_bytes, "browse": 300, "support": 200, "custom": 1},
        kept_purchases=3,
        ids=6,
        ticket_ids=4,
        tickets=1,
        recent_orders=3,
        recent_step=2,
        categories=(2, 1),
        skus=(2, 1, 1),
        day_names=60,
        notes=2,
    ),
)


def unique(events: Sequence[Event]) -> list[PersonEvent]:
    """Event ids repeat across sources only; the store lets one of each through."""
    numbered = {(event.source, f"{event.event_id}-{event.type}"): event for event in events}
    return [read(_renamed(event, name)) for (_, name), event in numbered.items()]


def _renamed(event: Event, event_id: str) -> Event:
    return Event(
        event_id,
        event.type,
        event.occurred_at,
        event.customer,
        event.properties,
        event.source,
    )


def step_by_step(
    events: Sequence[PersonEvent], cuts: Sequence[int], policy: Policy = PLAIN
) -> tuple[PackedFacts, list[PersonEvent]]:
    """The facts after folding batch by batch as the pipeline does."""
    facts, done = NOBODY, []
    bounds = sorted({0, len(events), *(cut % (len(events) + 1) for cut in cuts)})
    for start, end in pairwise(bounds):
        batch = list(events[start:end])
        done += batch
        match fold(facts, batch, policy):
            case Folded(now, _):
                facts = now
            case NeedsHistory():
                facts = refold(done, policy)
    return facts, done


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS, max_size=25), st.randoms(), st.lists(st.integers(0, 30), max_size=6))
def test_any_order_and_any_batching_gives_byte_equal_facts(
    events: list[Event], random: Any, cuts: list[int]
) -> None:
    once = unique(events)
    shuffled = list(once)
    random.shuffle(shuffled)
    facts, _ = step_by_step(shuffled, cuts)
    assert encode(facts) == encode(refold(once, PLAIN))


def a_busy_year(random: Any) -> list[Event]:
    """Orders mostly, an hour to four apart; some come back, are cancelled, or are posted again."""
    events: list[Event] = []
    for number in range(random.randrange(4, 40)):
        at = START + number * random.choice((2, 2, 2, 9_000)) * HOUR
        order_id, old = f"O-{number}", f"O-{max(number - random.randrange(9), 0)}"
        items = [
            an_item(
                f"S-{random.randrange(5)}",
                category=random.choice(("坚果", "茶", "茶礼盒", None)),
                quantity=random.randrange(1, 3),
                unit_price=random.choice((None, "5.00")),
            )
            for _ in range(random.randrange(4))
        ]
        kind = random.randrange(12)
        if kind == 0:
            events.append(a_refund(at, order_id=old, amount="1", refund_id=f"R-{number}"))
        elif kind == 1:
            events.append(a_refund(at, order_id=old, amount="10", refund_id=f"R-{number}"))
        elif kind == 2:
            events.append(a_cancellation(at, order_id=old))
        elif kind in (3, 4, 5):
            events.append(a_ticket(at, ticket_id=f"T-{random.randrange(6)}"))
        elif kind == 6:
            events.append(a_resolution(at, ticket_id=f"T-{random.randrange(6)}"))
        else:
            again = old if kind == 7 else order_id
            coupons = random.choice((None, ["C"]))
            events.append(
                a_purchase(at, order_id=again, total="10", items=items, coupon_codes=coupons)
            )
    return events


def told_late(events: Sequence[PersonEvent], random: Any) -> list[PersonEvent]:
    """In order, but for a few that come up to ten events too late."""
    order = [
        (n + (random.randrange(10) if not random.randrange(8) else 0), event)
        for n, event in enumerate(events)
    ]
    return [event for _, event in sorted(order, key=lambda each: each[0])]


@settings(max_examples=400, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_is_kept_is_bounded_alike_in_any_order(random: Any) -> None:
    once = sorted(unique(a_busy_year(random)), key=event_order)
    cuts = [cut for cut in range(len(once)) if random.randrange(3)]
    facts, _ = step_by_step(told_late(once, random), cuts, TINY)
    assert unpack(facts) == unpack(refold(once, TINY))
    assert encode(facts) == encode(refold(once, TINY))


@settings(max_examples=100, deadline=None)
@given(st.lists(EVENTS, max_size=25))
def test_packed_facts_are_byte_for_byte_those_of_the_contract(events: list[Event]) -> None:
    facts = refold(unique(events), PLAIN)
    assert encode(facts) == encode(unpack(facts))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=210, max_size=400), st.randoms())
def test_old_browsing_is_counted_by_day_whatever_the_order(days: list[int], random: Any) -> None:
    events = [
        read(a_browse(START + day * DAY, category=str(day % 2), event_id=f"e{n}"))
        for n, day in enumerate(days)
    ]
    shuffled = list(events)
    random.shuffle(shuffled)
    facts, _ = step_by_step(shuffled, [50, 100, 180, 230, 300])
    assert encode(facts) == encode(refold(events, PLAIN))
    plain = unpack(facts)
    assert len(encode(plain.kept["browse"])) <= LIMITS.kept_bytes["browse"] + 3
    assert plain.seen["browse.viewed"].count == len(days)
