"""The stage of a person's life as a customer, exact to the instant."""

from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple

from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.profiles import Facts
from zhiyin.facts.history import OrderHistory

STAGES: Final = ("lead", "new", "one_time", "active", "repeat", "loyal", "dormant", "lost")

_NEW: Final = 30 * DAY
_DORMANT: Final = 90 * DAY
_YEAR: Final = 365 * DAY
_LOYAL_ORDERS: Final = 10


class Stage(NamedTuple):
    """`next_flip`: when the next stage begins if no order comes."""

    name: str
    next_flip: Instant | None


class Lifecycle(NamedTuple):
    """`since`: the instant at which the stage began, None for a lead. Of somebody in one stage
    for longer than orders are kept, the oldest order kept."""

    stage: str
    since: Instant | None
    next_flip: Instant | None


def lifecycle(facts: Facts, now: Instant) -> Lifecycle:
    return lifecycle_at(OrderHistory(facts), now)


def lifecycle_at(history: OrderHistory, now: Instant) -> Lifecycle:
    """As `lifecycle`, of orders brought into shape already."""
    stage, flip = stage_at(history, now)
    return Lifecycle(stage, since(history, stage, now), flip)


def stage_at(history: OrderHistory, now: Instant) -> Stage:
    """The stage alone, for asking about several instants of one person."""
    last = history.totals.last_at
    if history.totals.count == 0 or last is None:
        return Stage("lead", None)
    at = history.effective(now)
    loyal = history.within(_YEAR, at) >= _LOYAL_ORDERS
    name = _stage(at - last, history.totals.count, loyal)
    return Stage(name, _next_flip(name, last, history))


def _stage(age: int, orders: int, loyal: bool) -> str:
    """The first of the contract's list that holds, for somebody with an order."""
    if age > _DORMANT:
        return "lost" if age > _YEAR else "dormant"
    if loyal:
        return "loyal"
    if orders > 1:
        return "repeat" if orders > 3 else "active"
    return "new" if age <= _NEW else "one_time"


def _next_flip(stage: str, last: Instant, history: OrderHistory) -> Instant | None:
    match stage:
        case "lost":
            return None
        case "dormant":
            return last + _YEAR + 1
        case "loyal":
            tenth_leaves = history.ats[-_LOYAL_ORDERS] + _YEAR + 1
            return min(tenth_leaves, last + _DORMANT + 1)
        case "new":
            return last + _NEW + 1
        case _:
            return last + _DORMANT + 1


def since(history: OrderHistory, stage: str, now: Instant) -> Instant | None:
    """When the stage that holds at `now` began."""
    last = history.totals.last_at
    if stage == "lead" or last is None:
        return None
    after_last = {"new": 0, "one_time": _NEW + 1, "dormant": _DORMANT + 1, "lost": _YEAR + 1}
    if stage in after_last:
        return last + after_last[stage]
    return _began(history, stage, history.effective(now))


def _began(history: OrderHistory, stage: str, now: Instant) -> Instant | None:
    """Walks back over the instants at which the stage may have changed to the one where it did."""
    changes = {at + later for at in history.ats for later in (0, _DORMANT + 1, _YEAR + 1)}
    oldest = None
    for change in sorted((at for at in changes if at <= now), reverse=True):
        oldest = change
        before = _past_stage(history, change - 1)
        if before is not None and before != stage:
            break
    return oldest


def _past_stage(history: OrderHistory, at: Instant) -> str | None:
    """The stage at an instant gone by; None when it hangs on orders that are no longer kept."""
    until = bisect_right(history.ats, at)
    orders = history.count_until(at)
    if orders == 0:
        return "lead"
    if until == 0:
        return None
    recent = until - bisect_left(history.ats, at - _YEAR)
    forgotten = orders > until and at - _YEAR < history.ats[0]
    if forgotten and recent < _LOYAL_ORDERS:
        return None
    return _stage(at - history.ats[until - 1], orders, recent >= _LOYAL_ORDERS)
