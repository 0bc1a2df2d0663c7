"""A person's orders in the shape in which windows over them are cheap to sum."""

from bisect import bisect_left, bisect_right
from itertools import accumulate

from zhiyin.contracts.buying import OrderTotals
from zhiyin.contracts.instants import Duration, Instant
from zhiyin.contracts.money import Minor
from zhiyin.contracts.profiles import Facts
from zhiyin.facts.counted import settled_sales


class OrderHistory:
    """Completed, not cancelled orders of the last 400 days, oldest first, with running spend. Of
    somebody with very many the older ones are known by day only, and stand at the day's end.

    An order ahead of the clock counts at once, as it does in `orders.*`: whoever asks about an
    instant before the last order is answered for the instant of that order.
    """

    __slots__ = ("ats", "spent", "totals")

    def __init__(self, facts: Facts) -> None:
        open_orders = sorted(
            (order.at, order.net)
            for order in facts.orders_kept.values()
            if order.counts and not order.settled
        )
        orders = [*settled_sales(facts.settled), *open_orders]
        self.ats: list[Instant] = [at for at, _ in orders]
        self.spent: list[Minor] = [0, *accumulate(net for _, net in orders)]
        self.totals: OrderTotals = facts.orders

    def effective(self, now: Instant) -> Instant:
        last = self.totals.last_at
        return now if last is None or last < now else last

    def within(self, window: Duration, now: Instant) -> int:
        """How many orders have an age of at most `window`."""
        return len(self.ats) - bisect_left(self.ats, now - window)

    def spent_within(self, window: Duration, now: Instant) -> Minor:
        return self.spent[-1] - self.spent[bisect_left(self.ats, now - window)]

    def count_until(self, at: Instant) -> int:
        """The number of orders ever made up to and including an instant of the exact window."""
        return self.totals.count - (len(self.ats) - bisect_right(self.ats, at))
