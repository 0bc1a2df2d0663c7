"""The pipeline on a real PostgreSQL and Valkey."""

import msgspec
from msgspec.structs import replace

from services.segmentation.hot_copies import HotCopy
from tests.segmentation.harness import Instance, record_of
from tests.segmentation.people import DORMANT, IN_HANGZHOU, NOTHING, NOW, Life, move, purchase, view
from zhiyin.contracts.instants import DAY, SECOND
from zhiyin.contracts.profiles import Cause
from zhiyin.contracts.segments import SegmentSpec
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.erasures import erasure_counts


async def hot(instance: Instance, profile_id: str) -> HotCopy | None:
    packed = await instance.redis.get(f"s:{profile_id}")
    return None if packed is None else msgspec.msgpack.decode(packed, type=HotCopy)


async def with_segments(instance: Instance) -> None:
    await instance.editor.create(SegmentSpec("dormant", "D", DORMANT))
    await instance.editor.create(SegmentSpec("hangzhou", "H", IN_HANGZHOU))
    await instance.settle()


async def test_a_change_reaches_membership_log_message_count_and_hot_copy(
    instance: Instance,
) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    outcome = await instance.deliver(Life().then(event).message([event]))
    (change,) = instance.told
    assert (change.segment, change.change, change.cause) == ("dormant", "entered", "event")
    assert await instance.members("dormant") == {"p-1"}
    assert await instance.status("dormant") == (1, True)
    assert await hot(instance, "p-1") == HotCopy(1, ["dormant"])
    assert str(outcome.outgoing[0].id) == change.message_id
    assert instance.delays.snapshot()["event_to_segment"].total


async def test_a_replayed_batch_changes_nothing(instance: Instance) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    message = Life().then(event).message([event])
    await instance.deliver(message)
    again = await instance.deliver(message, message)
    assert again.outgoing == []
    assert await instance.status("dormant") == (1, True)


async def test_several_changes_of_one_person_in_a_batch_are_told_in_order(
    instance: Instance,
) -> None:
    await with_segments(instance)
    old, city, new = (
        purchase(wall_clock() - 100 * DAY),
        move(wall_clock(), "杭州"),
        purchase(wall_clock() - SECOND),
    )
    first = Life().then(old)
    second = first.then(city)
    await instance.deliver(
        first.message([old]), second.message([city]), second.then(new).message([new])
    )
    assert [(one.segment, one.change) for one in instance.told] == [
        ("dormant", "entered"),
        ("hangzhou", "entered"),
        ("dormant", "left"),
    ]
    assert await instance.members("dormant") == set()
    assert await instance.status("dormant") == (0, True)
    assert await hot(instance, "p-1") == HotCopy(1, ["hangzhou"])


async def test_time_moves_people_at_the_exact_instant(instance: Instance) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 90 * DAY + SECOND // 2)
    await instance.deliver(Life().then(event).message([event]))
    assert await instance.members("dormant") == set()
    while not await instance.fire_due():
        pass
    (change,) = instance.told
    assert (change.cause, change.change) == ("time", "entered")
    assert 0 <= change.at - (event.at + 90 * DAY) <= 1
    assert change.decided_at >= change.at
    assert await instance.members("dormant") == {"p-1"}


async def test_an_event_moves_the_timer_and_takes_it_away(instance: Instance) -> None:
    await with_segments(instance)
    old, new = purchase(wall_clock() - 50 * DAY), purchase(wall_clock() - 100 * DAY)
    life = Life().then(old)
    await instance.deliver(life.message([old]))

    async def due() -> list[object]:
        async with instance.database.connection() as connection:
            rows = await connection.fetch("SELECT key, due_at FROM timer WHERE kind = 'flip'")
        return [tuple(row) for row in rows]

    (first,) = await due()
    later = purchase(wall_clock() - 10 * DAY)
    await instance.deliver(life.then(later).message([later]))
    (second,) = await due()
    assert first != second
    other = Life("p-2").then(new)
    await instance.deliver(other.message([new]))
    assert len(await due()) == 1


async def test_merged_and_erased_people_leave_and_nothing_older_brings_them_back(
    instance: Instance,
) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    merged, erased = Life("p-m").then(event), Life("p-e").then(event)
    await instance.deliver(merged.message([event]), erased.message([event]))
    assert await instance.status("dormant") == (2, True)
    await instance.deliver(
        merged.then().message([], merged_into="p-keep"), erased.then().message([], erased=True)
    )
    assert [one.cause for one in instance.told[2:]] == ["erasure", "merge"]
    assert await instance.status("dormant") == (0, True)
    await instance.deliver(merged.message([event]), erased.message([event]))
    assert await instance.status("dormant") == (0, True)
    assert await hot(instance, "p-m") == HotCopy(2, [])
    async with instance.database.connection() as connection:
        left = await connection.fetchval(
            "SELECT count(*) FROM membership_log WHERE profile_id = 'p-e'"
        )
        kept = await connection.fetchval("SELECT snapshot FROM person WHERE profile_id = 'p-e'")
        timers = await connection.fetchval("SELECT count(*) FROM timer")
        counts = await erasure_counts(connection, "p-e")
    assert (left, kept, timers) == (0, None, 0)
    assert counts == {
        "segmentation.person": 1,
        "redis.segments": 1,
        "segmentation.membership": 1,
        "segmentation.membership_log": 1,
        "segmentation.timer": 0,
        "segmentation.dead_letter": 0,
    }


async def test_who_enters_and_is_erased_in_one_batch_leaves_no_trace(instance: Instance) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    life = Life("p-e").then(event)
    await instance.deliver(life.message([event]), life.then().message([], erased=True))
    async with instance.database.connection() as connection:
        for table in ("membership", "membership_log", "timer"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
    assert [one.change for one in instance.told] == ["entered", "left"]


async def test_who_is_parted_again_is_back_in_their_segments_which_is_no_news(
    instance: Instance,
) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    life = Life("p-m").then(event)
    await instance.deliver(life.message([event]))
    gone, back = life.then(), life.then().then()
    unlinked = Cause("u-1", "customer.unlinked", "operator", NOW, NOW, False, NOTHING)
    returns = replace(back.message([]), cause=(unlinked,), parted_from={"p-keep": 9})
    await instance.deliver(gone.message([], merged_into="p-keep"))
    await instance.deliver(returns)
    told = [(one.change, one.cause, one.news) for one in instance.told if one.segment == "dormant"]
    assert told == [
        ("entered", "event", True),
        ("left", "merge", False),
        ("entered", "merge", False),
    ]
    await instance.deliver(life.message([event]), gone.message([], merged_into="p-keep"))
    assert await instance.status("dormant") == (1, True), "older news change nothing"
    assert await hot(instance, "p-m") == HotCopy(3, ["dormant"])


async def test_a_record_that_is_no_change_is_rejected_and_the_rest_applied(
    instance: Instance,
) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    good = record_of(Life().then(event).message([event]))
    broken = [good._replace(value=value) for value in (b"", b"\xff\x00", b"\x80", good.value[:40])]
    async with instance.database.transaction() as tx:
        outcome = await instance.pipeline.apply(tx, [*broken, good])
    assert [one.record for one in outcome.rejected] == broken
    assert len(outcome.outgoing) == 1


async def test_redis_emptied_or_away_is_made_good_from_postgres(instance: Instance) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    await instance.deliver(Life().then(event).message([event]))
    await instance.redis.flushall()
    await instance.hot.recover(["p-1", "nobody"])
    assert await hot(instance, "p-1") == HotCopy(1, ["dormant"])


async def test_an_older_hot_copy_never_overwrites_a_newer_one(instance: Instance) -> None:
    newer = HotCopy(9, ["vip"])
    await instance.redis.set("s:p-1", msgspec.msgpack.encode(newer))
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    await instance.deliver(Life().then(event).message([event]))
    assert await hot(instance, "p-1") == newer


async def test_the_trace_of_the_event_goes_on_with_the_segment_change(instance: Instance) -> None:
    await with_segments(instance)
    event = purchase(wall_clock() - 100 * DAY)
    parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    record = record_of(Life().then(event).message([event]), (("traceparent", parent),))
    async with instance.database.transaction() as tx:
        outcome = await instance.pipeline.apply(tx, [record])
    assert outcome.outgoing[0].message.headers == (("traceparent", parent),)


async def test_an_unaffected_change_sends_nothing(instance: Instance) -> None:
    await with_segments(instance)
    event = view(wall_clock())
    outcome = await instance.deliver(Life().then(event).message([event]))
    assert outcome.outgoing == []
    assert await hot(instance, "p-1") == HotCopy(1, [])
