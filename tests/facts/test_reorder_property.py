"""Reorder dates out of the platform's fold against a plain computation from the orders."""

from itertools import accumulate, pairwise
from statistics import median
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.profile.domain.fold import refold
from services.profile.domain.packed import unpack
from services.profile.domain.policy import PLAIN
from tests.builders import START, a_purchase, a_refund, an_item
from tests.profile.events import read_all
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR
from zhiyin.facts import reorders

# (days since the last order, quantity, gift, refunded in full, another SKU of the category)
orders = st.tuples(
    st.integers(1, 60),
    st.integers(1, 3),
    st.booleans() | st.just(False),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, False, True]),
)


def events_of(bought: list[tuple[int, int, bool, bool, bool]], pack: int | None) -> list[Event]:
    found: list[Event] = []
    day = 0
    for turn, (gap, quantity, gift, refunded, other) in enumerate(bought):
        day += gap
        at = START + day * DAY
        item = an_item("OTHER" if other else "EJ", quantity=quantity, pack_days=pack)
        found.append(a_purchase(at, order_id=f"O-{turn}", items=[item], gift=gift, total="10"))
        if refunded:
            found.append(
                a_refund(at + HOUR, order_id=f"O-{turn}", amount="10", refund_id=f"R-{turn}")
            )
    return found


def plainly(bought: list[tuple[int, int, bool, bool, bool]], pack: int | None) -> Any:
    """(due day, basis, sure, substituted) of EJ; None where there is no date."""
    days = list(accumulate(gap for gap, *_ in bought))
    kept = [
        (day, quantity, other)
        for day, (_, quantity, gift, refunded, other) in zip(days, bought, strict=True)
        if not gift and not refunded
    ]
    own = [(day, quantity) for day, quantity, other in kept if not other]
    if not own:
        return None
    substituted = any(other and day > own[-1][0] for day, _, other in kept)
    lasts = lasting(own, pack)
    return None if lasts is None else (own[-1][0] + lasts[0], *lasts[1:], substituted)


def lasting(bought: list[tuple[int, int]], pack: int | None) -> tuple[float, str, str] | None:
    """(days, basis, sure) of the last of these purchases."""
    quantities = [quantity for _, quantity in bought]
    gaps = [b - a for (a, _), (b, _) in pairwise(bought)][-5:]
    middle = median(gaps) if gaps else 0
    spread = median([abs(gap - middle) for gap in gaps]) / middle if gaps else 9
    own = 0.0
    if gaps:
        usual = sum(quantities[:-1]) / (len(quantities) - 1)
        own = middle * min(quantities[-1] / usual, 4)
    if len(gaps) >= 3 and spread <= 0.5:
        sure = "high" if len(gaps) >= 4 and spread <= 0.25 else "medium"
        return own, "interval", sure
    if pack is not None:
        return pack * quantities[-1], "pack", "medium"
    return (own, "interval", "low") if len(gaps) >= 2 else None


@settings(max_examples=150, deadline=None)
@given(st.lists(orders, min_size=1, max_size=9), st.none() | st.integers(1, 40))
def test_dates_are_those_of_a_plain_computation(
    bought: list[tuple[int, int, bool, bool, bool]], pack: int | None
) -> None:
    facts = unpack(refold(read_all(*events_of(bought, pack)), PLAIN))
    found = {each.sku: each for each in reorders(facts)}.get("EJ")
    expected = plainly(bought, pack)
    if expected is None:
        assert found is None
        return
    assert found is not None
    due, *rest = expected
    assert abs(found.due_at - START - due * DAY) < HOUR
    assert [found.basis, found.sure, found.substituted] == rest
