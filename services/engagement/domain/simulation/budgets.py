"""Budgets in a trial that goes person by person, though in truth they share a budget over time.

Until a budget is used up nobody notices it. So the first run takes all as unlimited and remembers
the earliest issues of each template; the budget's last one is where it ends. Runs are repeated with
the earliest end that has come to light until no budget is exceeded: each is right up to its end.
"""

import heapq
from typing import Final

from msgspec import Struct, field

from zhiyin.contracts.instants import Instant

_ENOUGH: Final = 1 << 30
Issue = tuple[Instant, str]


class _Last(Struct, array_like=True):
    """Ordered the other way round, so that the latest comes off a heap first."""

    at: Instant
    profile_id: str

    def __lt__(self, other: "_Last") -> bool:
        return (self.at, self.profile_id) > (other.at, other.profile_id)


class Budgets(Struct):
    """`ends`: template → its last coupon, (when, whose); `earliest`: the issues so far, of each as
    many as its budget is large; `over`: templates of which there were more."""

    limits: dict[str, int]
    ends: dict[str, Issue] = field(default_factory=dict)
    earliest: dict[str, list[_Last]] = field(default_factory=dict)
    over: list[str] = field(default_factory=list)

    def remaining(self, profile_id: str, now: Instant) -> dict[str, int]:
        """As `Circumstances` wants it: 0 for what is used up by then."""
        return {
            key: _ENOUGH if key not in self.ends or (now, profile_id) <= self.ends[key] else 0
            for key in self.limits
        }

    def issued(self, template: str, profile_id: str, at: Instant) -> None:
        limit = self.limits.get(template)
        if limit is None:
            return
        heap = self.earliest.setdefault(template, [])
        heapq.heappush(heap, _Last(at, profile_id))
        if len(heap) > limit:
            heapq.heappop(heap)
            if template not in self.over:
                self.over.append(template)

    def next_run(self) -> "Budgets | None":
        """What another run has to heed; None when this one exceeded nothing."""
        found = {key: _end(self.earliest[key]) for key in self.over}
        if not found:
            return None
        first = min(found, key=lambda key: found[key])
        return Budgets(self.limits, {**self.ends, first: found[first]})


def _end(heap: list[_Last]) -> Issue:
    return (heap[0].at, heap[0].profile_id) if heap else (-1, "")
