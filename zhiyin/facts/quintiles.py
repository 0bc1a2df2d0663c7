"""RFM cut points from the population itself: who is in the best fifth, the next, and so on."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from zhiyin.contracts.instants import HOUR, Instant
from zhiyin.facts.history import OrderHistory
from zhiyin.facts.thresholds import DEFAULT_RFM, RfmThresholds

_SCORES: Final = (5, 4, 3, 2)


class Population:
    """Everybody with an order, as three histograms: age of the last order in whole hours begun,
    orders and net spend (in steps of `step` minor units) inside the window."""

    def __init__(self, step: int, window: int = DEFAULT_RFM.window) -> None:
        self._step = step
        self._window = window
        self.buyers = 0
        self._ages: Counter[int] = Counter()
        self._orders: Counter[int] = Counter()
        self._spent: Counter[int] = Counter()

    def add(self, history: OrderHistory, now: Instant) -> None:
        """Somebody without orders does not count."""
        last = history.totals.last_at
        if history.totals.count == 0 or last is None:
            return
        at = history.effective(now)
        self.buyers += 1
        self._ages[-(-(at - last) // HOUR)] += 1
        self._orders[history.within(self._window, at)] += 1
        self._spent[history.spent_within(self._window, at) // self._step] += 1

    def quintiles(self) -> RfmThresholds:
        """Thresholds by which a score of s needs at least (s - 1) fifths of the buyers to be
        worse.

        Equal values get equal scores: where six of ten have one order, all six score 1 for
        frequency and two orders score 4. Without buyers nobody can score above 1.
        """
        newness = {-hours: count for hours, count in self._ages.items()}
        return RfmThresholds(
            recency=tuple((-least * HOUR, score) for least, score in _ladder(newness)),
            frequency=_ladder(self._orders),
            monetary=tuple((least * self._step, score) for least, score in _ladder(self._spent)),
            window=self._window,
        )


def _ladder(counts: Mapping[int, int]) -> tuple[tuple[int, int], ...]:
    """(least value, score) from the best score down; of equal bounds the best score stays."""
    total = sum(counts.values())
    best: dict[int, int] = {}
    worse = 0
    for value in sorted(counts):
        fitting = [score for score in _SCORES if worse * 5 >= total * (score - 1)]
        if fitting and max(fitting) not in best.values():
            best[value] = max(fitting)
        worse += counts[value]
    return tuple(sorted(best.items(), reverse=True))
