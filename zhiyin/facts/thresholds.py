"""Where one RFM score ends and the next begins."""

from itertools import pairwise

from msgspec import Struct

from zhiyin.contracts.instants import DAY, Duration
from zhiyin.contracts.money import Minor


class RfmThresholds(Struct, frozen=True):
    """Each is a ladder from the best score down; what no rung holds scores 1.

    - `recency`: (greatest age of the last order, score)
    - `frequency`: (least number of orders inside `window`, score)
    - `monetary`: (least net spend inside `window` in minor units, score)

    Raises ValueError when a ladder does not descend, because a rung would then never be reached.
    """

    recency: tuple[tuple[Duration, int], ...] = (
        (30 * DAY, 5),
        (60 * DAY, 4),
        (90 * DAY, 3),
        (180 * DAY, 2),
    )
    frequency: tuple[tuple[int, int], ...] = ((10, 5), (6, 4), (3, 3), (2, 2))
    monetary: tuple[tuple[Minor, int], ...] = (
        (1_000_000, 5),
        (500_000, 4),
        (200_000, 3),
        (50_000, 2),
    )
    window: Duration = 365 * DAY

    def __post_init__(self) -> None:
        _check("recency", [-age for age, _ in self.recency], [s for _, s in self.recency])
        _check("frequency", [least for least, _ in self.frequency], [s for _, s in self.frequency])
        _check("monetary", [least for least, _ in self.monetary], [s for _, s in self.monetary])
        if any(least < 1 for least, _ in (*self.frequency, *self.monetary)):
            raise ValueError("frequency and monetary thresholds must be above zero")


def _check(name: str, bounds: list[int], scores: list[int]) -> None:
    for ladder in (bounds, scores):
        if any(upper <= lower for upper, lower in pairwise(ladder)):
            raise ValueError(f"the {name} thresholds must go from the best score down")
    if any(not 2 <= score <= 5 for score in scores):
        raise ValueError(f"the {name} scores must be 2 to 5; 1 is what remains")


DEFAULT_RFM = RfmThresholds()
