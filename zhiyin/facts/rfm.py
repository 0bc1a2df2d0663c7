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
_NEVER: Final[Instant] = 2**63
_Score = tuple[int, Instant]
"""A score and the instant at which it is replaced by the next."""
_Ladders = tuple[list[_Score], list[_Score], list[_Score]]
"""The scores of R, F and M still to come, the one that holds first."""


def rfm(facts: Facts, now: Instant, thresholds: RfmThresholds = DEFAULT_RFM) -> Rfm:
    return rfm_at(OrderHistory(facts), now, thresholds)


def rfm_at(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> Rfm:
    """As `rfm`, for asking about several instants of one person."""
    ladders = _ladders(history, now, thresholds)
    return _NO_ORDERS if ladders is None else _top(ladders)


def rfm_course(
    history: OrderHistory, now: Instant, thresholds: RfmThresholds
) -> list[tuple[Instant, Rfm]]:
    """The scores at `now`, and all later ones if no order comes, each with the instant from which
    it holds."""
    ladders = _ladders(history, now, thresholds)
    if ladders is None:
        return [(now, _NO_ORDERS)]
    course, since = [], now
    while True:
        scores = _top(ladders)
        course.append((since, scores))
        if scores.next_flip is None:
            return course
        since = scores.next_flip
        for ladder in ladders:
            if ladder[0][1] == since:
                del ladder[0]


def _ladders(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> _Ladders | None:
    """None without orders."""
    last = history.totals.last_at
    if history.totals.count == 0 or last is None:
        return None
    at = history.effective(now)
    return (
        _recency(last, at, thresholds),
        _frequency(history, at, thresholds),
        _monetary(history, at, thresholds),
    )


def _top(ladders: _Ladders) -> Rfm:
    (r, r_until), (f, f_until), (m, m_until) = (ladder[0] for ladder in ladders)
    until = min(r_until, f_until, m_until)
    return Rfm(r, f, m, rfm_class(r, f, m), until if until < _NEVER else None)


def _recency(last: Instant, now: Instant, thresholds: RfmThresholds) -> list[_Score]:
    flips = [(score, last + age + 1) for age, score in thresholds.recency]
    return _from(now, flips)


def _frequency(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> list[_Score]:
    ats, window = history.ats, thresholds.window
    reached = [
        (score, ats[-least] + window + 1)
        for least, score in thresholds.frequency
        if least <= len(ats)
    ]
    return _from(now, reached)


def _monetary(history: OrderHistory, now: Instant, thresholds: RfmThresholds) -> list[_Score]:
    ats, spent, window = history.ats, history.spent, thresholds.window
    reached = [
        (score, ats[bisect_right(spent, spent[-1] - least) - 1] + window + 1)
        for least, score in thresholds.monetary
        if least <= spent[-1]
    ]
    return _from(now, reached)


def _from(now: Instant, flips: list[_Score]) -> list[_Score]:
    """Those still to come, and the score that remains. Of several that flip at one instant the
    best holds until then."""
    coming: list[_Score] = []
    for score, until in flips:
        if until > now and (not coming or until > coming[-1][1]):
            coming.append((score, until))
    return [*coming, (1, _NEVER)]


def rfm_class(r: int, f: int, m: int) -> str:
    """The class of scores of somebody with an order."""
    if r == 1:
        return "dormant"
    if r < 4:
        return "churn_warning"
    if f >= 4:
        return "high_value_loyal" if m >= 4 else "new_or_small"
    return "potential_growth" if m >= 3 else "new_or_small"
