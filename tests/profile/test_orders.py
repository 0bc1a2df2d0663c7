"""What orders add up to."""

from services.profile.domain.fold import refold
from services.profile.domain.packed import unpack
from services.profile.domain.policy import PLAIN
from tests.builders import START, a_cancellation, a_purchase, a_refund, an_item
from tests.profile.events import read_all
from zhiyin.contracts.buying import CategoryTotals
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.profiles import Facts

NUTS = an_item("NUT", category="坚果", quantity=2, unit_price="10.00", pack_days=30)
TEA = an_item("TEA", category="茶", quantity=1, unit_price="5.50")


def facts(*events: Event) -> Facts:
    return unpack(refold(read_all(*events), PLAIN))


def test_a_cancelled_order_does_not_count_even_if_the_cancellation_comes_first() -> None:
    found = facts(
        a_cancellation(START, order_id="O-1"),
        a_purchase(START + 1, order_id="O-1", items=[NUTS]),
        a_purchase(START + 2, order_id="O-2", total="25.50", items=[NUTS, TEA]),
    )
    assert (found.orders.count, found.orders.total) == (1, 25_50)
    assert found.orders.first_at == START + 2
    assert found.categories["坚果"] == CategoryTotals(1, 2, 20_00, START + 2, own_at=START + 2)
    assert found.seen["purchase.completed"].count == 2, "as posted, it happened"


def test_a_refund_reduces_what_was_bought_and_counts_once_per_refund_id() -> None:
    back = an_item("NUT", quantity=1)
    found = facts(
        a_purchase(START, order_id="O-1", total="25.50", items=[NUTS, TEA]),
        a_refund(START + 1, order_id="O-1", amount="10.00", refund_id="R", items=[back]),
        a_refund(START + 2, order_id="O-1", amount="10.00", refund_id="R", items=[back]),
    )
    assert (found.orders.count, found.orders.total, found.orders.refunded) == (1, 15_50, 10_00)
    assert found.categories["坚果"] == CategoryTotals(1, 1, 10_00, START, own_at=START)
    assert found.skus["NUT"].last_quantity == 1


def test_a_refund_of_everything_resets_the_reorder() -> None:
    found = facts(
        a_purchase(START, order_id="O-1", total="20", items=[NUTS]),
        a_purchase(START + 40 * DAY, order_id="O-2", total="20", items=[NUTS]),
        a_refund(START + 41 * DAY, order_id="O-2", amount="20"),
    )
    assert found.skus["NUT"].last_at == START
    assert found.skus["NUT"].intervals == ()


def test_a_gift_makes_no_consumer_of_its_buyer() -> None:
    found = facts(a_purchase(START, items=[NUTS], gift=True))
    assert found.skus == {}
    assert found.categories["坚果"].orders == 1


def test_of_an_order_posted_again_the_newest_is_the_truth() -> None:
    found = facts(
        a_purchase(START, order_id="O-1", total="10", items=[NUTS]),
        a_purchase(START + DAY, order_id="O-1", total="30", items=[TEA]),
    )
    assert (found.orders.count, found.orders.total) == (1, 30_00)
    assert set(found.categories) == {"茶"}


def test_an_order_id_used_again_after_the_window_is_another_order() -> None:
    found = facts(
        a_purchase(START, order_id="O-1", total="10"),
        a_purchase(START + 401 * DAY, order_id="O-1", total="30"),
    )
    assert (found.orders.count, found.orders.total) == (2, 40_00)
    assert found.orders_kept["O-1"].at == START + 401 * DAY


def test_lines_without_a_price_share_what_is_left_of_the_total() -> None:
    found = facts(
        a_purchase(START, total="25.50", items=[TEA, an_item("X", category="果", quantity=4)])
    )
    assert found.categories["果"].total == 20_00
