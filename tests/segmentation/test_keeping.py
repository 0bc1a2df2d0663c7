"""Comings and goings go after four hundred days, month by month; the counts stay right."""

from services.segmentation import reads
from services.segmentation.keeping import KEPT_DAYS, keep_moves, keep_moves_now
from services.segmentation.moves import moves
from tests.segmentation.harness import Instance
from tests.segmentation.people import DORMANT, Life, purchase
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.segments import SegmentSpec
from zhiyin.runtime.clock import wall_clock


async def one_dormant(instance: Instance) -> None:
    await instance.editor.create(SegmentSpec("dormant", "D", DORMANT))
    await instance.settle()
    bought = purchase(wall_clock() - 100 * DAY)
    await instance.deliver(Life("p-1").then(bought).message([bought]))


async def test_moves_are_kept_for_their_time_and_then_dropped_with_their_month(
    instance: Instance,
) -> None:
    await keep_moves_now(instance.database)
    await one_dormant(instance)
    async with instance.database.transaction() as tx:
        assert await keep_moves(tx, wall_clock() + (KEPT_DAYS - 2) * DAY) == []
        assert len(await moves(tx, "dormant", None, 10)) == 1
        assert await keep_moves(tx, wall_clock() + (KEPT_DAYS + 32) * DAY) != []
        assert await moves(tx, "dormant", None, 10) == []
        assert await reads.sizes(tx, "dormant", 10) == []
    assert await instance.status("dormant") == (1, True)


async def test_the_months_ahead_are_there_before_they_begin(instance: Instance) -> None:
    async with instance.database.transaction() as tx:
        await keep_moves(tx, wall_clock())
        rows = await tx.fetch(
            "SELECT inhrelid FROM pg_inherits WHERE inhparent = 'membership_log'::regclass"
        )
        assert len(rows) == 3
        assert await keep_moves(tx, wall_clock()) == []
