"""Coupons outside: taken by customers, told of by tills, reminded of, revoked, counted."""

import asyncio
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.engagement.cashier import Used
from services.engagement.lookups import MOST_MISSES
from services.engagement.store.coupon_costs import CouponCost, costs
from services.engagement.store.coupons import StoredCoupon
from tests.builders import a_purchase, a_refund
from tests.engagement.harness import NOON, Instance, a_change
from zhiyin.contracts.campaigns import (
    ClaimSpec,
    CouponTemplateSpec,
    RedeemSpec,
    ReverseSpec,
    RevokeSpec,
)
from zhiyin.contracts.events import Event, decode_event
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, Instant, moment
from zhiyin.runtime.problems import Problem

TAKEN = {"key": "page-20", "kind": "amount", "value": 20, "minimum": 100, "claimable": True}


async def a_template(instance: Instance, **rest: Any) -> None:
    spec = msgspec.convert({**TAKEN, **rest}, CouponTemplateSpec)
    await instance.settings.add_coupon_template(spec)


async def people(instance: Instance, count: int) -> None:
    await instance.deliver(*(a_change([], profile_id=f"p-{n}", causes=[]) for n in range(count)))


async def claim(instance: Instance, number: int = 0, claim_id: str = "1") -> StoredCoupon:
    return (await instance.claims.claim("page-20", ClaimSpec(f"p-{number}", claim_id)))[0]


def offline(order_id: str, at: Instant, amount: str = "200") -> RedeemSpec:
    return RedeemSpec(order_id, Decimal(amount), "S-8", moment(at))


async def refused(doing: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        await doing
    return caught.value


async def cost_of(instance: Instance) -> CouponCost:
    async with instance.db.connection() as connection:
        [found] = await costs(connection, instance.now, template="page-20")
    return found


async def test_a_thousand_claims_at_once_on_the_last_hundred_give_exactly_a_hundred(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    await a_template(one, budget=100)
    await people(one, 1000)

    at_once = asyncio.Semaphore(200)

    async def take(number: int) -> str:
        try:
            async with at_once:
                await claim(one if number % 2 else two, number)
        except Problem as problem:
            return problem.code
        return "taken"

    assert Counter(await asyncio.gather(*map(take, range(1000)))) == {"taken": 100, "budget": 900}
    [row] = await one.fetch(
        "SELECT issued, (SELECT count(DISTINCT code) FROM coupon) FROM coupon_template"
        " WHERE key = 'page-20'"
    )
    assert tuple(row) == (100, 100)


async def test_a_claim_sent_again_gets_the_same_coupon_and_another_is_one_too_many(
    instance: Instance,
) -> None:
    await a_template(instance, per_person=1)
    await people(instance, 1)
    first = await claim(instance)
    assert (await claim(instance)).code == first.code
    assert (await refused(claim(instance, claim_id="2"))).code == "per_person"
    assert (await refused(claim(instance, number=7))).status == 404
    back = ClaimSpec("p-0")
    assert (await refused(instance.claims.claim("back-30", back))).code == "not_claimable"
    assert (await refused(instance.claims.claim("none", back))).status == 404


async def test_a_till_that_was_offline_redeems_with_its_own_time(instance: Instance) -> None:
    await a_template(instance, valid="10d")
    await people(instance, 1)
    code = (await claim(instance)).code
    instance.now = NOON + 12 * DAY
    taken = offline("O-1", NOON + 9 * DAY)
    _, used = await instance.cashier.redeem(code, taken)
    assert used.at == NOON + 9 * DAY
    assert (await instance.cashier.redeem(code, taken))[1] == used
    for at in (NOON - 40 * DAY, NOON + 13 * DAY):
        assert (await refused(instance.cashier.redeem(code, offline("O-9", at)))).code == "bad_time"


async def test_what_a_till_should_not_have_taken_is_refused_honestly_and_kept_on_record(
    instance: Instance,
) -> None:
    await a_template(instance, valid="10d")
    await people(instance, 2)
    used, unused = (await claim(instance)).code, (await claim(instance, 1)).code
    await instance.cashier.redeem(used, RedeemSpec("O-1", Decimal(150)))
    instance.now = NOON + 12 * DAY
    late = await refused(instance.cashier.redeem(used, offline("O-2", NOON + DAY)))
    assert (late.status, late.code, late.extra["recorded"]) == (409, "redeemed", True)
    assert late.extra["redemption"]["order_id"] == "O-1"
    await refused(instance.cashier.redeem(used, offline("O-2", NOON + DAY)))
    gone = await refused(instance.cashier.redeem(unused, offline("O-3", NOON + 11 * DAY)))
    assert (gone.status, gone.code) == (410, "expired")
    asked = await refused(instance.cashier.redeem(used, RedeemSpec("O-4", Decimal(150))))
    assert asked.extra["recorded"] is False
    found = await cost_of(instance)
    assert (found.redeemed, found.conflicts, found.conflict_discount) == (1, 2, 4_000)
    assert found.expired == 1


async def test_a_refund_that_came_before_the_tills_word_reverses_at_once(
    instance: Instance,
) -> None:
    await a_template(instance)
    await people(instance, 1)
    code = (await claim(instance)).code
    order = a_purchase(NOON, order_id="O-1", total="180")
    back = a_refund(NOON + MINUTE, order_id="O-1", amount="180")
    await instance.deliver(a_change([order, back], profile_id="p-0", causes=[order, back]))
    instance.now = NOON + HOUR
    _, used = await instance.cashier.redeem(code, offline("O-1", NOON))
    assert used.reversed_at == instance.now
    await instance.cashier.redeem(code, RedeemSpec("O-2", Decimal(150)))


async def test_a_partial_refund_takes_back_its_share_of_the_discount(instance: Instance) -> None:
    await a_template(instance, cost="1.50")
    await people(instance, 1)
    code = (await claim(instance)).code
    await instance.cashier.redeem(code, RedeemSpec("O-1", Decimal(200)))
    order = a_purchase(NOON, order_id="O-1", total="180")
    part = a_refund(NOON + 1, order_id="O-1", amount="45")
    await instance.deliver(a_change([order, part], profile_id="p-0", causes=[order, part]))
    found = await cost_of(instance)
    assert (found.redeemed, found.reversed) == (1, 0)
    assert (found.discount, found.revenue) == (1_500, 13_500)
    rest = a_refund(NOON + 2, order_id="O-1", amount="135", refund_id="R-2")
    await instance.deliver(a_change([order, part, rest], profile_id="p-0"))
    found = await cost_of(instance)
    assert (found.redeemed, found.reversed, found.discount, found.revenue) == (0, 1, 0, 0)


async def test_an_order_that_names_a_coupon_has_used_it(instance: Instance) -> None:
    await a_template(instance)
    await people(instance, 2)
    code = (await claim(instance)).code
    order = a_purchase(NOON, order_id="O-1", total="180", discount="20", coupon_codes=[code, "X"])
    await instance.deliver(a_change([order], profile_id="p-0"))
    again = a_purchase(NOON, order_id="O-2", total="180", discount="20", coupon_codes=[code])
    await instance.deliver(a_change([order, again], profile_id="p-0"))
    coupon = await instance.cashier.find(code)
    assert coupon.standing is not None
    assert (coupon.standing.order_id, coupon.standing.amount) == ("O-1", 20_000)
    found = await cost_of(instance)
    assert (found.redeemed, found.discount, found.revenue, found.conflicts) == (1, 2_000, 18_000, 1)


def told(instance: Instance) -> list[Event]:
    outgoing = [each.message for each in instance.outgoing]
    return [decode_event(each.value) for each in outgoing if each.topic == "events.custom"]


async def test_an_unused_coupon_is_reminded_of_before_it_expires(instance: Instance) -> None:
    await a_template(instance, valid="10d", remind="2d")
    await people(instance, 3)
    coupons = [await claim(instance, number) for number in range(3)]
    await instance.cashier.redeem(coupons[1].code, RedeemSpec("O-1", Decimal(200)))
    await instance.cashier.revoke(coupons[2].code, RevokeSpec("by mistake"))
    await instance.fire_due(NOON + 8 * DAY - 1)
    assert told(instance) == []
    await instance.fire_due(NOON + 8 * DAY)
    [event] = told(instance)
    assert event.type == "custom.coupon_expiring"
    assert event.customer == {"profile_id": "p-0"}
    properties = msgspec.json.decode(event.properties)
    assert (properties["code"], properties["value"]) == (coupons[0].code, "20.00")


async def test_who_was_merged_is_reminded_under_the_id_that_stayed(instance: Instance) -> None:
    await a_template(instance, valid="10d", remind="2d")
    await people(instance, 2)
    await claim(instance, 1)
    gone = a_change([], profile_id="p-1", causes=[], merged_into="p-0")
    await instance.deliver(gone, a_change([], profile_id="p-0", causes=[], merged_from=["p-1"]))
    await instance.fire_due(NOON + 8 * DAY)
    assert [event.customer for event in told(instance)] == [{"profile_id": "p-0"}]


async def test_a_revoked_coupon_is_gone_and_a_used_one_cannot_be_revoked(
    instance: Instance,
) -> None:
    await a_template(instance)
    await people(instance, 2)
    code, used = (await claim(instance)).code, (await claim(instance, 1)).code
    assert (await instance.cashier.revoke(code, RevokeSpec())).revoked_at == NOON
    instance.now = NOON + HOUR
    assert (await instance.cashier.revoke(code, RevokeSpec())).revoked_at == NOON
    order = RedeemSpec("O-1", Decimal(200))
    assert (await refused(instance.cashier.redeem(code, order))).code == "revoked"
    await instance.cashier.redeem(used, order)
    assert (await refused(instance.cashier.revoke(used, RevokeSpec()))).code == "redeemed"
    await instance.cashier.reverse(used, ReverseSpec("O-1"))
    await instance.cashier.revoke(used, RevokeSpec())


async def test_who_tries_codes_is_stopped_wherever_and_typing_errors_do_not_count(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    await a_template(one)
    await people(one, 1)
    code = (await claim(one)).code

    async def ask(instance: Instance, actor: str, typed: str) -> Used | StoredCoupon:
        async with instance.lookups.of(actor, typed):
            return await instance.cashier.find(typed)

    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    for number in range(MOST_MISSES):
        instance = one if number % 2 else two
        assert (await refused(ask(instance, "key:a", wrong))).status == 404
        assert (await refused(ask(instance, "key:a", "0" * 17))).status == 404
    stopped = await refused(ask(one, "key:a", code))
    assert (stopped.status, stopped.code) == (429, "too_many_misses")
    assert stopped.retry_after is not None
    await ask(one, "key:b", code)
    one.now += 11 * MINUTE
    await ask(one, "key:a", code)


async def test_a_budget_can_be_raised_but_not_below_what_is_out(instance: Instance) -> None:
    await a_template(instance, budget=1)
    await people(instance, 2)
    await claim(instance)
    assert (await refused(claim(instance, 1))).code == "budget"

    async def change(budget: int) -> None:
        spec = msgspec.convert({**TAKEN, "budget": budget}, CouponTemplateSpec)
        await instance.settings.put_coupon_template(spec)

    assert (await refused(change(0))).code == "below_issued"
    await change(2)
    await claim(instance, 1)


def test_a_tills_time_needs_an_offset() -> None:
    body = {"order_id": "O", "amount": 1, "redeemed_at": datetime(2026, 3, 1).isoformat()}  # noqa: DTZ001
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body, RedeemSpec)
