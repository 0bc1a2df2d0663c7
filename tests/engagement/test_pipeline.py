"""What campaigns do to people, on a real database."""

import msgspec

from services.engagement.retention import data_classes
from tests.builders import a_cancellation, a_purchase, an_event
from tests.engagement.harness import NIGHT, NOON, Instance, a_change, a_crossing, reachable
from zhiyin.contracts.instants import DAY, HOUR, MINUTE
from zhiyin.runtime.retention import Retention

BOUGHT = a_purchase(NOON - 2 * MINUTE, total="300.00")
BEFORE = a_purchase(NOON - 3 * MINUTE, order_id="before")


async def test_the_first_order_is_welcomed_with_a_coupon(instance: Instance) -> None:
    await instance.deliver(a_change([BOUGHT], identifiers=reachable()))
    assert await instance.outcomes() == [("coupon", "sent", None), ("message", "decided", None)]
    assert {action.campaign for action in instance.decided} == {"welcome-first-order"}
    message = next(item for item in await instance.history() if item.kind == "message")
    assert message.data["coupon"]["code"] in message.data["text"]
    assert "missing" not in message.data
    [coupon] = await instance.fetch("SELECT profile_id, template FROM coupon")
    assert tuple(coupon) == ("p-1", "second-order-15")


async def test_of_two_first_orders_in_one_batch_the_earlier_is_welcomed_once(
    instance: Instance,
) -> None:
    second = a_purchase(NOON - MINUTE, total="80.00", order_id="second")
    both = [BOUGHT, second]
    await instance.deliver(a_change(both, causes=both, identifiers=reachable()))
    rows = await instance.fetch("SELECT entered, reason, occurrence FROM decision ORDER BY 1")
    assert [(row[0], row[1]) for row in rows] == [(False, "condition"), (True, None)]
    await instance.deliver(a_change([BEFORE, *both], causes=[BEFORE], identifiers=reachable()))
    assert await instance.outcomes() == [
        ("coupon", "sent", None),
        ("entry", "skipped", "condition"),
        ("entry", "skipped", "reentry"),
        ("message", "decided", None),
    ]


async def test_a_first_order_that_is_cancelled_at_once_is_not_welcomed(
    instance: Instance,
) -> None:
    order = a_purchase(NOON - 2 * MINUTE, order_id="O1")
    gone = a_cancellation(NOON - MINUTE, order_id="O1")
    await instance.deliver(a_change([order, gone], causes=[order, gone], identifiers=reachable()))
    assert await instance.outcomes() == [("entry", "skipped", "condition")]


async def test_whoever_bought_long_ago_is_not_welcomed(instance: Instance) -> None:
    old = a_purchase(NOON - 300 * DAY, imported=True)
    await instance.deliver(a_change([old, BOUGHT], identifiers=reachable()))
    assert await instance.outcomes() == [("entry", "skipped", "condition")]


async def test_the_same_message_twice_acts_once(instance: Instance) -> None:
    change = a_change([BOUGHT], identifiers=reachable())
    await instance.deliver(change)
    await instance.deliver(change)
    await instance.deliver(change, change)
    assert len(instance.decided) == 2


async def test_the_same_event_in_another_message_acts_once(instance: Instance) -> None:
    await instance.deliver(a_change([BOUGHT], identifiers=reachable()))
    await instance.deliver(a_change([BOUGHT], identifiers=reachable()))
    assert len(instance.decided) == 2


async def test_imported_history_is_recorded_and_triggers_nothing(instance: Instance) -> None:
    old = a_purchase(NOON - 100 * DAY, total="300.00", imported=True)
    await instance.deliver(a_change([old], identifiers=reachable()))
    await instance.deliver(a_crossing(cause="event", imported=True))
    assert await instance.outcomes() == [("entry", "skipped", "import")] * 2
    assert instance.decided == []


async def test_an_event_older_than_a_day_is_recorded_as_stale(instance: Instance) -> None:
    late = a_purchase(NOON - 25 * HOUR, total="300.00")
    await instance.deliver(a_change([late], identifiers=reachable()))
    assert await instance.outcomes() == [("entry", "skipped", "stale")]


async def test_ninety_days_without_an_order_bring_a_coupon_and_a_message(
    instance: Instance,
) -> None:
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    await instance.deliver(a_change([old], identifiers=reachable()), a_crossing())
    kinds = {(action.campaign, action.kind) for action in instance.decided}
    assert kinds == {("win-back-90d", "coupon"), ("win-back-90d", "message")}


async def test_a_crossing_waits_for_the_person_it_speaks_of(instance: Instance) -> None:
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    await instance.deliver(a_crossing(version=1_000_000))
    assert instance.decided == []
    await instance.deliver(a_change([old], identifiers=reachable(), version=1_000_000))
    assert {action.campaign for action in instance.decided} == {"win-back-90d"}
    assert await instance.fetch("SELECT key FROM timer WHERE kind = 'parked'") == []


async def test_a_person_who_never_arrives_is_refused_as_unknown(instance: Instance) -> None:
    await instance.deliver(a_crossing(version=5))
    assert await instance.fire_due(NOON + HOUR - 1) == 0
    await instance.fire_due(NOON + HOUR)
    assert await instance.outcomes() == [("entry", "skipped", "unknown_person")]


async def test_no_purchase_within_the_timeout_brings_the_second_message(
    instance: Instance,
) -> None:
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    await instance.deliver(a_change([old], identifiers=reachable()), a_crossing())
    assert await instance.fire_due(NOON + 7 * DAY - 1) == 0
    await instance.fire_due(NOON + 7 * DAY)
    assert [action.step for action in instance.decided] == ["0", "1", "2.else.0"]
    [run] = await instance.fetch("SELECT state, reason FROM run")
    assert tuple(run) == ("done", None)


async def test_a_purchase_ends_the_journey_and_reaches_the_goal(instance: Instance) -> None:
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    await instance.deliver(a_change([old], identifiers=reachable()), a_crossing())
    back = a_purchase(NOON + DAY, total="80.00", order_id="back")
    instance.now = NOON + DAY
    await instance.deliver(a_change([old, back], identifiers=reachable()))
    await instance.fire_due(NOON + 8 * DAY)
    runs = await instance.fetch("SELECT state, reason FROM run WHERE campaign = 'win-back-90d'")
    assert [tuple(run) for run in runs] == [("exited", "exit_on")]
    [goal] = await instance.fetch("SELECT goal_at FROM decision WHERE campaign = 'win-back-90d'")
    assert goal[0] == NOON + DAY


async def test_quiet_hours_hold_a_message_until_they_end(instance: Instance) -> None:
    instance.now = NIGHT
    bought = a_purchase(NIGHT - MINUTE, total="300.00")
    await instance.deliver(a_change([bought], identifiers=reachable()))
    assert ("message", "deferred", "quiet_hours") in await instance.outcomes()
    nine = NOON + 21 * HOUR
    assert await instance.fire_due(nine - 1) == 0
    await instance.fire_due(nine)
    assert await instance.outcomes() == [("coupon", "sent", None), ("message", "decided", None)]
    message = next(item for item in await instance.history() if item.kind == "message")
    assert message.at == nine


async def test_leaving_in_the_night_means_no_message_in_the_morning(instance: Instance) -> None:
    instance.now = NIGHT
    old = a_purchase(NIGHT - 90 * DAY, total="300.00", imported=True)
    await instance.deliver(a_change([old], identifiers=reachable()), a_crossing(at=NIGHT))
    back = a_purchase(NIGHT + MINUTE, order_id="back")
    instance.now = NIGHT + MINUTE
    await instance.deliver(a_change([old, back], identifiers=reachable()))
    await instance.fire_due(NOON + DAY)
    outcomes = [
        (item.kind, item.state, item.reason)
        for item in await instance.history()
        if item.campaign == "win-back-90d" and item.kind == "message"
    ]
    assert outcomes == [("message", "skipped", "exit_on")]


async def test_a_complaint_is_answered_and_followed_up_when_it_is_resolved(
    instance: Instance,
) -> None:
    opened = an_event("support.opened", NOON, ticket_id="T1", kind="complaint")
    other = an_event("support.resolved", NOON + HOUR, ticket_id="T2")
    resolved = an_event("support.resolved", NOON + 2 * HOUR, ticket_id="T1")
    await instance.deliver(a_change([opened], identifiers=reachable()))
    await instance.deliver(a_change([opened, other], identifiers=reachable()))
    assert [action.step for action in instance.decided] == ["0"]
    await instance.deliver(a_change([opened, other, resolved], identifiers=reachable()))
    assert [action.step for action in instance.decided] == ["0", "1.then.0"]


async def test_an_open_complaint_suppresses_marketing(instance: Instance) -> None:
    opened = an_event("support.opened", NOON - HOUR, ticket_id="T1", kind="complaint")
    await instance.deliver(a_change([opened, BOUGHT], identifiers=reachable()))
    assert await instance.outcomes() == [("entry", "skipped", "open_complaint")]


async def test_the_third_message_of_a_day_is_one_too_many(instance: Instance) -> None:
    await instance.end_built_in()
    steps = [{"message": {"template": "win-back-2", "channel": "sms"}}]
    for number in range(3):
        trigger = {"on": "event", "type": "browse.searched"}
        await instance.launch(
            {"key": f"c{number}", "name": "x", "trigger": trigger, "steps": steps}
        )
    searched = an_event("browse.searched", NOON - MINUTE, query="nuts")
    await instance.deliver(a_change([searched], identifiers=reachable()))
    assert await instance.outcomes() == [
        ("entry", "skipped", "cap"),
        ("entry", "skipped", "cap"),
        ("message", "decided", None),
    ]


async def test_a_tag_step_sets_the_tag_through_an_event(instance: Instance) -> None:
    await instance.launch(
        {
            "key": "tagging",
            "name": "x",
            "trigger": {"on": "event", "type": "browse.searched", "where": {"query": "nuts"}},
            "steps": [{"tag": "nut-fan"}],
        }
    )
    searched = an_event("browse.searched", NOON - MINUTE, query="nuts")
    other = an_event("browse.searched", NOON - MINUTE, query="tea")
    await instance.deliver(a_change([searched, other], causes=[searched, other]))
    [event] = [
        each.message for each in instance.outgoing if each.message.topic == "events.customer"
    ]
    assert event.key == "profile_id:p-1"
    assert b'"tag":"nut-fan"' in event.value


async def test_a_merge_moves_journeys_coupons_and_waits_to_the_kept_person(
    instance: Instance,
) -> None:
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    await instance.deliver(a_change([old], identifiers=reachable()), a_crossing())
    gone = a_change([old], causes=[], merged_into="p-2")
    both = a_change(
        [old], profile_id="p-2", causes=[], merged_from=["p-1"], identifiers=reachable()
    )
    await instance.deliver(gone, both)
    await instance.fire_due(NOON + 7 * DAY)
    assert [action.profile_id for action in instance.decided] == ["p-1", "p-1", "p-2"]
    moved = {item.kind for item in await instance.history("p-2")}
    assert moved == {"entry", "coupon", "message"}
    assert await instance.history("p-1") == []
    [coupon] = await instance.fetch("SELECT profile_id FROM coupon")
    assert coupon[0] == "p-2"


async def test_erasure_leaves_nothing_and_later_messages_do_not_revive(
    instance: Instance,
) -> None:
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    change = a_change([old], identifiers=reachable())
    await instance.deliver(change, a_crossing())
    await instance.deliver(a_change([], causes=[], erased=True))
    await instance.deliver(a_change([old, BOUGHT], identifiers=reachable()), a_crossing())
    for table in ("action", "decision", "run", "delivery", "member", "date_watch", "timer"):
        assert await instance.fetch(f"SELECT * FROM {table}") == []
    [person] = await instance.fetch("SELECT snapshot, erased FROM person")
    assert tuple(person) == (None, True)
    [coupon] = await instance.fetch("SELECT profile_id, revoked_at FROM coupon")
    assert tuple(coupon) == (None, NOON)
    [(counts,)] = await instance.fetch("SELECT counts::text FROM erasure")
    assert {store: n for store, n in msgspec.json.decode(counts).items() if n} == {
        "engagement.person": 1,
        "engagement.member": 1,
        "engagement.timer": 2,
        "engagement.subject": 1,
        "engagement.delivery": 1,
        "engagement.run": 1,
        "engagement.decision": 2,
        "engagement.action": 2,
        "engagement.coupon": 1,
    }


async def test_what_was_written_goes_after_its_time_and_that_it_was_stays(
    instance: Instance,
) -> None:
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    await instance.deliver(a_change([old], identifiers=reachable()), a_crossing())
    await instance.fetch("DELETE FROM delivery")
    keep = Retention(instance.db, data_classes(), {}, lambda: NOON)
    assert (await keep.sweep(NOON + 400 * DAY))["message_content"] == 0
    assert (await keep.sweep(NOON + 400 * DAY + 1))["message_content"] == 2
    rows = await instance.fetch("SELECT kind, state, data FROM action ORDER BY kind")
    assert [tuple(row) for row in rows] == [
        ("coupon", "sent", b"\x80"),
        ("message", "decided", b"\x80"),
    ]


async def test_an_event_that_ends_a_journey_may_begin_it_anew(instance: Instance) -> None:
    """Whichever of the two runs comes first by its id."""
    await instance.launch(
        {
            "key": "again",
            "name": "Once per pair",
            "purpose": "transactional",
            "trigger": {"on": "event", "type": "browse.searched"},
            "steps": [{"wait_for": {"event": "browse.searched"}, "timeout": "1d"}, {"tag": "seen"}],
        }
    )
    people = [f"p-{number}" for number in range(16)]
    for minutes in (3, 2):
        searched = an_event("browse.searched", NOON - minutes * MINUTE, query="nuts")
        instance.now = NOON - minutes * MINUTE
        await instance.deliver(*(a_change([searched], profile_id=each) for each in people))
    states = await instance.fetch("SELECT state, count(*) FROM run GROUP BY 1 ORDER BY 1")
    assert [tuple(each) for each in states] == [("active", 16), ("done", 16)]
