"""Everybody can be folded anew from the event log."""

from msgspec.structs import replace

from services.profile.rebuild import rebuild_timer
from tests.builders import START, a_browse, a_purchase
from tests.profile.harness import Service
from zhiyin.contracts.buying import OrderTotals
from zhiyin.contracts.profiles import encode
from zhiyin.runtime.timers import set_timers


async def test_a_rebuild_puts_right_whom_an_older_reducer_got_wrong(service: Service) -> None:
    await service.apply(
        *[a_purchase(START, customer=f"M{n}", total="5") for n in range(60)],
        a_browse(START, customer="M7"),
    )
    right = await service.people()
    wrong = replace(right[33], facts=replace(right[33].facts, orders=OrderTotals(9, 9)))
    await service.database.pool.execute(
        "UPDATE profile SET snapshot = $2 WHERE profile_id = $1", wrong.profile_id, encode(wrong)
    )
    async with service.database.transaction() as tx:
        await set_timers(tx, [rebuild_timer(service.now)])
    [told] = await service.pass_time(service.now)
    assert told.snapshot.profile_id == wrong.profile_id
    assert told.snapshot.facts == right[33].facts
    assert set(told.changed) == {"orders", "profile"}
    await service.check_plain_fold()
