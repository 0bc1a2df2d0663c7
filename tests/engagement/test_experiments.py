"""Who is left alone, what they and the others did, and the report of it."""

from decimal import Decimal
from typing import Any

from services.engagement.domain.chance import arm, held_out
from services.engagement.measuring import everything, experiment
from tests.builders import a_cancellation, a_purchase, a_refund, an_event
from tests.engagement.harness import NOON, Instance, a_change, reachable
from zhiyin.contracts.campaigns import CouponTemplateSpec, ExperimentsSpec, RedeemSpec
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, MINUTE

SPLIT = {"split": [{"weight": 1, "steps": [{"coupon": "ten"}]}, {"weight": 1}]}
TRIED: dict[str, Any] = {
    "key": "tried",
    "name": "x",
    "holdout": 0.5,
    "trigger": {"on": "event", "type": "browse.searched"},
    "steps": [{"coupon": "ten"}, {"message": {"channel": "sms", "template": "win-back"}}],
    "goal": {"event": "purchase.completed", "within": "7d"},
}
SEARCHED = an_event("browse.searched", NOON - MINUTE, query="nuts")
PEOPLE = 240


async def a_template(instance: Instance) -> None:
    spec = CouponTemplateSpec(key="ten", kind="amount", value=10, cost=Decimal(2))
    await instance.settings.add_coupon_template(spec)


async def all_search(instance: Instance, people: int = PEOPLE) -> None:
    await instance.deliver(
        *(a_change([SEARCHED], profile_id=f"p-{n}", identifiers=reachable()) for n in range(people))
    )


async def orders(instance: Instance, number: int, *events: Event) -> None:
    everything = [SEARCHED, *events]
    await instance.deliver(a_change(everything, profile_id=f"p-{number}", causes=events))


async def report(instance: Instance, key: str = "tried") -> Any:
    async with instance.db.connection() as connection:
        catalog = await instance.catalogs.current(connection)
        return await experiment(
            connection, catalog.campaigns[key], catalog.experiments, instance.now, "CNY"
        )


def control(number: int, key: str = "tried", share: float = 0.5) -> bool:
    return held_out(key, f"p-{number}", share)


def a_buy(order_id: str, total: str = "100", hours: int = 1) -> Event:
    return a_purchase(NOON + hours * HOUR, order_id=order_id, total=total)


async def test_what_people_did_counts_for_those_treated_and_those_left_alone(
    instance: Instance,
) -> None:
    await instance.end_built_in()
    await a_template(instance)
    await instance.launch(TRIED)
    await all_search(instance)
    left_alone = [n for n in range(PEOPLE) if control(n)]
    treated = [n for n in range(PEOPLE) if not control(n)]
    for number in treated[::2]:
        await orders(instance, number, a_buy(f"O-{number}"))
    for number in left_alone[::8]:
        await orders(instance, number, a_buy(f"O-{number}"))
    assert (await report(instance))["treatment"]["open"] == len(treated)
    instance.now = NOON + 8 * DAY
    found = await report(instance)
    assert found["control"]["people"] == len(left_alone)
    assert found["treatment"]["converted"] == len(treated[::2])
    assert found["treatment"]["revenue"] == f"{len(treated[::2]) * 100}.00"
    assert found["conversion"]["sequential"]["p_value"] < 0.001
    assert found["significant"] is True
    low, high = found["conversion"]["sequential"]["interval"]
    narrow, wide = found["conversion"]["fixed"]["interval"]
    assert low < narrow < found["conversion"]["difference"] < wide < high


async def test_refunds_late_orders_and_cancellations_move_the_outcome(instance: Instance) -> None:
    await instance.end_built_in()
    await a_template(instance)
    await instance.launch(TRIED)
    await all_search(instance, 1)
    before, inside, late = a_buy("A", hours=-1), a_buy("B", "200"), a_buy("C", hours=8 * 24)
    await orders(instance, 0, before, inside, late)
    row = await instance.fetch("SELECT orders, revenue, goal_at FROM subject")
    assert tuple(row[0]) == (1, 20_000, NOON + HOUR)
    back = a_refund(NOON + 30 * DAY, order_id="B", amount="50")
    await orders(instance, 0, before, inside, late, back)
    assert (await instance.fetch("SELECT revenue FROM subject"))[0][0] == 15_000
    gone = a_cancellation(NOON + 31 * DAY, order_id="B")
    await orders(instance, 0, before, inside, late, back, gone)
    assert tuple((await instance.fetch("SELECT orders, revenue FROM subject"))[0]) == (0, 0)


async def test_who_enters_again_is_one_subject_still(instance: Instance) -> None:
    await instance.end_built_in()
    await a_template(instance)
    await instance.launch(TRIED)
    await all_search(instance, 20)
    again = an_event("browse.searched", NOON + 10 * DAY, query="nuts")
    instance.now = NOON + 10 * DAY
    await instance.deliver(*(a_change([again], profile_id=f"p-{n}") for n in range(20)))
    assert (await instance.fetch("SELECT count(*), max(at) FROM subject"))[0][0] == 20
    assert (await instance.fetch("SELECT max(at) FROM subject"))[0][0] == NOON


async def test_a_cap_or_a_spent_budget_leaves_people_among_the_treated(instance: Instance) -> None:
    await instance.end_built_in()
    scarce = CouponTemplateSpec(key="ten", kind="amount", value=10, budget=3)
    await instance.settings.add_coupon_template(scarce)
    await instance.launch(TRIED)
    await all_search(instance, 40)
    [row] = await instance.fetch("SELECT count(*) FROM subject WHERE treated")
    assert row[0] == sum(not control(n) for n in range(40)) > 3


async def test_marketing_leaves_a_tenth_alone_unless_it_says_otherwise(instance: Instance) -> None:
    await instance.end_built_in()
    await a_template(instance)
    await instance.launch({**TRIED, "key": "plain", "holdout": None})
    await instance.launch({**TRIED, "key": "care", "holdout": None, "purpose": "care"})
    await instance.launch({**TRIED, "key": "all", "holdout": 0})
    await all_search(instance)
    rows = await instance.fetch(
        "SELECT campaign, count(*) FROM decision WHERE reason = 'holdout' GROUP BY campaign"
    )
    assert dict(map(tuple, rows)) == {
        "plain": sum(control(n, "plain", 0.1) for n in range(PEOPLE)),
    }


async def test_whom_all_marketing_leaves_alone_is_compared_with_the_others(
    instance: Instance,
) -> None:
    await instance.end_built_in()
    await a_template(instance)
    await instance.settings.put_experiments(ExperimentsSpec(global_holdout=0.3))
    await instance.launch({**TRIED, "holdout": 0})
    await instance.launch({**TRIED, "key": "second", "holdout": 0})
    await all_search(instance)
    instance.now = NOON + 91 * DAY
    async with instance.db.connection() as connection:
        catalog = await instance.catalogs.current(connection)
        found = await everything(connection, catalog.experiments, instance.now, "CNY")
    alone = sum(held_out("*", f"p-{n}", 0.3) for n in range(PEOPLE))
    assert (found["control"]["people"], found["treatment"]["people"]) == (alone, PEOPLE - alone)
    entered = await instance.fetch("SELECT DISTINCT profile_id FROM run")
    assert len(entered) == PEOPLE - alone


async def test_net_margin_takes_off_goods_coupons_and_messages(instance: Instance) -> None:
    await instance.end_built_in()
    await a_template(instance)
    costs = {"sms": Decimal("0.05")}
    spec = ExperimentsSpec(margin_rate=0.4, message_costs=costs)
    await instance.settings.put_experiments(spec)
    await instance.launch(TRIED)
    await all_search(instance, 10)
    treated = [n for n in range(10) if not control(n)]
    used = await instance.fetch("SELECT profile_id, code FROM coupon")
    for profile_id, code in used:
        order = RedeemSpec(f"O-{profile_id}", Decimal(100))
        await instance.cashier.redeem(code, order)
        await orders(instance, int(profile_id[2:]), a_buy(f"O-{profile_id}", "90"))
    instance.now = NOON + 8 * DAY
    found = await report(instance)
    count = len(treated)
    assert 0 < count == len(used) < 10
    # Nobody left alone bought: of 90 each, all is incremental.
    assert found["incremental"]["revenue"] == f"{count * 90}.00"
    assert found["coupon_cost"] == f"{count * 12}.00"
    sent = [each for each in instance.decided if each.kind == "message"]
    assert found["message_cost"] == f"{len(sent) * 5 / 100:.2f}"
    net = count * (0.4 * 100 - 10 - 2) - len(sent) * 0.05
    assert found["net_margin"] == f"{net:.2f}"


async def test_arms_of_a_split_are_compared_with_the_first(instance: Instance) -> None:
    await instance.end_built_in()
    await a_template(instance)
    await instance.launch({**TRIED, "holdout": 0, "steps": [SPLIT]})
    await all_search(instance)
    for number in range(PEOPLE):
        if arm("tried", "0", f"p-{number}", (1, 1)) == 1 and number % 2:
            await orders(instance, number, a_buy(f"O-{number}"))
    instance.now = NOON + 8 * DAY
    [split] = (await report(instance))["splits"]
    first, second = split["arms"]
    assert first["people"] + second["people"] == PEOPLE
    assert (first["converted"], first["against_first"]) == (0, None)
    assert second["against_first"]["significant"] is True
