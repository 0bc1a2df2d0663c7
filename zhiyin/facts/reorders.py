"""When a person will have used up what they bought for themselves."""

from collections.abc import Sequence
from operator import attrgetter
from statistics import median
from typing import Final, Literal

from msgspec import Struct

from zhiyin.contracts.buying import SkuTotals
from zhiyin.contracts.instants import DAY, HOUR, Duration, Instant
from zhiyin.contracts.profiles import Facts

_RHYTHM: Final = 3  # own intervals that outweigh what the pack says
_SOME_RHYTHM: Final = 2  # own intervals that say more than nothing
_STEADY, _IRREGULAR = 0.25, 0.5  # spread of own intervals
_MOST_PACKS: Final = 4  # so many times the usual quantity count
_soonest: Final = attrgetter("due_at", "sku")
_LONGEST: Final = 3650 * DAY  # a bulk order's arithmetic must not leave the calendar

Basis = Literal["pack", "interval"]
Sure = Literal["high", "medium", "low"]


class Reorder(Struct, frozen=True):
    """When the last own purchase of a SKU is used up.

    - `basis`: `interval`, the median of the person's own last intervals (up to five), by the
      quantity bought last over the usual one; `pack`, the days one pack lasts by packs bought.
      Own intervals count from three on, unless they are irregular and the pack says how long it
      lasts; where it does not, two will do
    - `days`: what was added to `bought_at`
    - `sure`: of intervals, by their number and spread (median absolute deviation over median):
      `high` from four on with at most 0.25, `medium` with at most 0.5, else `low`; of a pack
      `medium`, as nobody is the average
    - `substituted`: something else of the category was bought for own use since
    """

    sku: str
    due_at: Instant
    basis: Basis
    days: float
    sure: Sure = "medium"
    bought_at: Instant = 0
    category: str | None = None
    substituted: bool = False


def reorders(facts: Facts) -> tuple[Reorder, ...]:
    """One per SKU whose next purchase can be dated, soonest first. Gifts are not in `skus`."""
    found = [_reorder(sku, totals, facts) for sku, totals in facts.skus.items()]
    return tuple(sorted([reorder for reorder in found if reorder is not None], key=_soonest))


def _reorder(sku: str, totals: SkuTotals, facts: Facts) -> Reorder | None:
    last_at = totals.last_at
    if last_at is None or totals.orders < 1:
        return None
    lasts = _lasts(totals)
    if lasts is None:
        return None
    basis, length, sure = lasts
    category = facts.categories.get(totals.category or "")
    since = None if category is None else category.own_at
    return Reorder(
        sku,
        last_at + length,
        basis,
        round(length / DAY, 1),
        sure,
        last_at,
        totals.category,
        since is not None and since > last_at,
    )


def _lasts(totals: SkuTotals) -> tuple[Basis, Duration, Sure] | None:
    """How long the last purchase lasts, by what, and how sure that is."""
    gaps = totals.intervals
    scattered = spread(gaps)
    own = _own(totals)
    if own is not None and len(gaps) >= _RHYTHM and scattered <= _IRREGULAR:
        steady = len(gaps) > _RHYTHM and scattered <= _STEADY
        return "interval", own, "high" if steady else "medium"
    if totals.pack_days is not None:
        packs = max(totals.last_quantity, 1)
        return "pack", min(totals.pack_days * DAY * packs, _LONGEST), "medium"
    if own is not None and len(gaps) >= _SOME_RHYTHM:
        return "interval", own, "low"
    return None


def _own(totals: SkuTotals) -> Duration | None:
    """The median interval, longer or shorter as more or less than usual was bought last."""
    if not totals.intervals or (middle := int(median(totals.intervals) * 2)) == 0:
        return None
    earlier = totals.quantity - totals.last_quantity
    times = totals.orders - 1
    if earlier < times or times < 1:  # not told of every order how much it was
        return min(middle * HOUR // 2, _LONGEST)
    packs = min(totals.last_quantity * times, earlier * _MOST_PACKS)
    return min(middle * HOUR * packs // (2 * earlier), _LONGEST)


def spread(intervals: Sequence[int]) -> float:
    """Median absolute deviation over median: robust against a single long holiday."""
    middle = median(intervals) if intervals else 0
    if middle == 0:
        return float("inf")
    return median(abs(each - middle) for each in intervals) / middle


def interval_days(intervals: Sequence[int]) -> float | None:
    """The median of gaps in hours, in days to a tenth; None before there is one."""
    return round(median(intervals) / 24, 1) if intervals else None
