"""When a person will have used up what they bought for themselves."""

from collections.abc import Sequence
from operator import attrgetter
from statistics import median
from typing import Final, Literal

from msgspec import Struct

from zhiyin.contracts.buying import SkuTotals
from zhiyin.contracts.instants import DAY, HOUR, Instant
from zhiyin.contracts.profiles import Facts

_OWN_RHYTHM: Final = 3  # purchases before a person's own interval says anything
_soonest: Final = attrgetter("due_at", "sku")
_LONGEST: Final = 3650 * DAY  # a bulk order's arithmetic must not leave the calendar


class Reorder(Struct, frozen=True):
    """`basis` "pack": days one pack lasts times packs bought; "interval": the median of the
    person's own intervals. `days` is what was added to the last purchase."""

    sku: str
    due_at: Instant
    basis: Literal["pack", "interval"]
    days: float


def reorders(facts: Facts) -> tuple[Reorder, ...]:
    """One per SKU whose next purchase can be dated, soonest first. Gifts are not in `skus`."""
    found = [_reorder(sku, totals) for sku, totals in facts.skus.items()]
    return tuple(sorted([reorder for reorder in found if reorder is not None], key=_soonest))


def _reorder(sku: str, totals: SkuTotals) -> Reorder | None:
    if totals.last_at is None or totals.orders < 1:
        return None
    if totals.pack_days is not None:
        lasts = totals.pack_days * DAY
        if totals.last_quantity > 1:
            lasts *= totals.last_quantity
        if lasts > _LONGEST:
            lasts = _LONGEST
        return Reorder(sku, totals.last_at + lasts, "pack", lasts // DAY)
    if totals.orders < _OWN_RHYTHM or not totals.intervals:
        return None
    lasts = int(median(totals.intervals) * HOUR)
    if lasts == 0:
        return None
    return Reorder(sku, totals.last_at + lasts, "interval", round(lasts / DAY, 1))


def interval_days(intervals: Sequence[int]) -> float | None:
    """The median of gaps in hours, in days to a tenth; None before there is one."""
    return round(median(intervals) / 24, 1) if intervals else None
