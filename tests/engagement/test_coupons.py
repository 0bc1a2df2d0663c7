"""Coupons: issued within the budget, redeemed once, given back when the order is undone."""

import asyncio
from collections import Counter
from decimal import Decimal

import pytest

from services.engagement.domain.codes import coupon_code, read_code
from services.engagement.domain.coupons import discount
from services.engagement.domain.ids import action_id
from tests.builders import a_cancellation, a_purchase, a_refund, an_event
from tests.engagement.harness import NOON, Instance, a_change, reachable
from zhiyin.contracts.campaigns import CouponTemplateSpec, RedeemSpec, ReverseSpec
from zhiyin.contracts.instants import DAY, MINUTE
from zhiyin.runtime.problems import Problem

SCARCE = {
    "key": "scarce",
    "name": "x",
    "trigger": {"on": "event", "type": "browse.searched"},
    "steps": [{"coupon": "scarce"}],
}


def an_order(order_id: str = "O-1", amount: str = "259.00") -> RedeemSpec:
    return RedeemSpec(order_id, Decimal(amount), "S-8")


async def a_coupon(instance: Instance) -> str:
    """The code of a coupon that somebody has got: 15 yuan off 69."""
    bought = a_purchase(NOON - MINUTE, total="300.00")
    await instance.deliver(a_change([bought], identifiers=reachable()))
    [row] = await instance.fetch("SELECT code FROM coupon")
    return str(row[0])


async def refused(instance: Instance, code: str, order: RedeemSpec) -> str:
    with pytest.raises(Problem) as caught:
        await instance.cashier.redeem(code, order)
    return f"{caught.value.status} {caught.value.code}"


async def test_a_coupon_is_redeemed_once_and_again_for_the_same_order(instance: Instance) -> None:
    code = await a_coupon(instance)
    coupon, first = await instance.cashier.redeem(code, an_order())
    assert (coupon.kind, first.amount, first.discount) == ("amount", 25_900, 1_500)
    typed = f" {code[:4].lower()}-{code[4:]} "
    assert (await instance.cashier.redeem(typed, an_order()))[1] == first
    assert await refused(instance, code, an_order("O-2")) == "409 redeemed"


async def test_fifty_tills_at_once_redeem_it_once(instance: Instance) -> None:
    code = await a_coupon(instance)

    async def till(number: int) -> str:
        try:
            await instance.cashier.redeem(code, an_order(f"O-{number}"))
        except Problem as problem:
            return problem.code
        return "taken"

    said = await asyncio.gather(*map(till, range(50)))
    assert Counter(said) == {"taken": 1, "redeemed": 49}


async def test_an_expired_coupon_is_gone(instance: Instance) -> None:
    code = await a_coupon(instance)
    instance.now = NOON + 14 * DAY - 1
    instance.now += 1
    assert await refused(instance, code, an_order()) == "410 expired"


async def test_a_revoked_coupon_is_gone(instance: Instance) -> None:
    code = await a_coupon(instance)
    await instance.deliver(a_change([], causes=[], erased=True))
    assert await refused(instance, code, an_order()) == "410 revoked"


async def test_an_order_below_the_minimum_does_not_use_the_coupon_up(instance: Instance) -> None:
    code = await a_coupon(instance)
    assert await refused(instance, code, an_order(amount="68.99")) == "422 below_minimum"
    await instance.cashier.redeem(code, an_order(amount="69.00"))


async def test_what_is_no_code_is_not_found(instance: Instance) -> None:
    for typed in ("", "x", "0" * 17, "\0", "券", "A" * 1000, "' OR 1=1 --"):
        assert await refused(instance, typed, an_order()) == "404 not_found"


async def test_what_is_no_amount_is_refused(instance: Instance) -> None:
    code = await a_coupon(instance)
    for amount in ("NaN", "-1", "1e13", "Infinity", "sNaN"):
        assert await refused(instance, code, an_order(amount=amount)) == "422 bad_amount"


async def test_a_reversed_coupon_is_free_for_another_order_not_for_a_late_retry(
    instance: Instance,
) -> None:
    code = await a_coupon(instance)
    await instance.cashier.redeem(code, an_order())
    _, back = await instance.cashier.reverse(code, ReverseSpec("O-1"))
    assert (await instance.cashier.reverse(code, ReverseSpec("O-1")))[1] == back
    assert await refused(instance, code, an_order()) == "409 reversed"
    await instance.cashier.redeem(code, an_order("O-2"))
    with pytest.raises(Problem) as caught:
        await instance.cashier.reverse(code, ReverseSpec("O-3"))
    assert caught.value.code == "not_redeemed"


async def test_a_cancelled_order_gives_its_coupon_back(instance: Instance) -> None:
    code = await a_coupon(instance)
    await instance.cashier.redeem(code, an_order("O-9"))
    order = a_purchase(NOON, order_id="O-9")
    cancelled = a_cancellation(NOON + MINUTE, order_id="O-9")
    await instance.deliver(a_change([order, cancelled]))
    assert (await instance.cashier.find(code)).redemption.reversed_at == NOON  # type: ignore[union-attr]


async def test_only_a_full_refund_gives_the_coupon_back(instance: Instance) -> None:
    code = await a_coupon(instance)
    await instance.cashier.redeem(code, an_order("O-9"))
    order = a_purchase(NOON, order_id="O-9", total="100")
    part = a_refund(NOON + 1, order_id="O-9", amount="40")
    rest = a_refund(NOON + 2, order_id="O-9", amount="60", refund_id="R-2")
    await instance.deliver(a_change([order, part]))
    assert await refused(instance, code, an_order("O-10")) == "409 redeemed"
    await instance.deliver(a_change([order, part, rest]))
    await instance.cashier.redeem(code, an_order("O-10"))


async def test_fifty_people_at_once_on_two_instances_share_the_last_seven_coupons(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    await one.settings.add_coupon_template(
        CouponTemplateSpec(key="scarce", kind="percent", value=10, budget=7)
    )
    await one.launch(SCARCE)
    searched = an_event("browse.searched", NOON - MINUTE, query="nuts")

    async def arrive(number: int) -> None:
        change = a_change([searched], profile_id=f"p-{number}")
        await (one if number % 2 else two).deliver(change)

    await asyncio.gather(*map(arrive, range(50)))
    [row] = await one.fetch(
        "SELECT issued, (SELECT count(*) FROM coupon) FROM coupon_template WHERE key = 'scarce'"
    )
    assert tuple(row) == (7, 7)
    reasons = await one.fetch("SELECT count(*) FROM decision WHERE reason = 'budget'")
    assert reasons[0][0] == 43


async def test_fifty_people_in_one_batch_share_the_last_seven_coupons(instance: Instance) -> None:
    await instance.settings.add_coupon_template(
        CouponTemplateSpec(key="scarce", kind="gift", value="SAMPLE-1", budget=7)
    )
    await instance.launch(SCARCE)
    searched = an_event("browse.searched", NOON - MINUTE, query="nuts")
    await instance.deliver(*(a_change([searched], profile_id=f"p-{n}") for n in range(50)))
    [row] = await instance.fetch("SELECT count(*), count(DISTINCT code) FROM coupon")
    assert tuple(row) == (7, 7)


def test_a_code_says_so_when_a_letter_is_wrong() -> None:
    code = coupon_code(b"key", action_id("c", 1, "o", "p", "0"))
    assert read_code(code) == code
    assert coupon_code(b"key", action_id("c", 1, "o", "p", "0")) == code
    assert coupon_code(b"other", action_id("c", 1, "o", "p", "0")) != code
    wrong = [
        code[:place] + letter + code[place + 1 :]
        for place in range(len(code))
        for letter in "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        if letter != code[place]
    ]
    assert all(read_code(each) is None for each in wrong)


@pytest.mark.parametrize(
    ("kind", "value", "amount", "off"),
    [
        ("amount", 1_500, 25_900, 1_500),
        ("amount", 1_500, 900, 900),
        ("percent", 1_050, 9_999, 1_049),
        ("percent", 10_000, 9_999, 9_999),
        ("gift", 0, 9_999, 0),
    ],
)
def test_a_discount_is_never_more_than_the_order(
    kind: str, value: int, amount: int, off: int
) -> None:
    assert discount(kind, value, amount) == off
