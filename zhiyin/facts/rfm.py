"""Recency, frequency, monetary: scores and class of a person at an instant."""

from bisect import bisect_right
from typing import Final, NamedTuple

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Facts
from zhiyin.facts.history import OrderHistory
from zhiyin.facts.thresholds import DEFAULT_RFM, RfmThresholds

RFM_CLASSES: Final = (
    "high_value_loyal",
    "potential_growth",
    "new_or_small",
    "churn_warning",
    "dormant",
    "none",
)


class Rfm(NamedTuple):
    """Scores 1–5, or 0 for a person without orders. `next_flip`: when one of the scores changes if
    no order comes."""

    r: int
    f: int
    m: int
    class_: str
    next_flip: Instant | None


_NO_ORDERS: Final = Rfm(0, 0, 0, "none", None)
_Score = tuple[int, Instant | None]


def rfm(facts: Facts, now: Instant, thresholds: RfmThresholds = DEFAULT_RFM) -> Rfm:
    return rfm_at(OrderHistory(facts), now, thresholds)


def rfm_at(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> Rfm:
    """As `rfm`, for asking about several instants of one person."""
    last = history.totals.last_at
    if history.totals.count == 0 or last is None:
        return _NO_ORDERS
    at = history.effective(now)
    r, r_flip = _recency(last, at, thresholds)
    f, f_flip = _frequency(history, at, thresholds)
    m, m_flip = _monetary(history, at, thresholds)
    flips = [flip for flip in (r_flip, f_flip, m_flip) if flip is not None]
    return Rfm(r, f, m, rfm_class(r, f, m), min(flips, default=None))


def _recency(last: Instant, now: Instant, thresholds: RfmThresholds) -> _Score:
    for age, score in thresholds.recency:
        if now - last <= age:
            return score, last + age + 1
    return 1, None


def _frequency(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> _Score:
    count = history.within(thresholds.window, now)
    for least, score in thresholds.frequency:
        if count >= least:
            return score, history.ats[-least] + thresholds.window + 1
    return 1, None


def _monetary(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> _Score:
    spent = history.spent_within(thresholds.window, now)
    for least, score in thresholds.monetary:
        if spent >= least:
            needed = bisect_right(history.spent, history.spent[-1] - least) - 1
            return score, history.ats[needed] + thresholds.window + 1
    return 1, None


def rfm_class(r: int, f: int, m: int) -> str:
    """The class of scores of somebody with an order."""
    if r == 1:
        return "dormant"
    if r < 4:
        return "churn_warning"
    if f >= 4:
        return "high_value_loyal" if m >= 4 else "new_or_small"
    return "potential_growth" if m >= 3 else "new_or_small"
