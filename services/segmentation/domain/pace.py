"""How much of a backfill is done at once, and how long it then leaves the lane to live work."""

from typing import Final

from zhiyin.contracts.instants import SECOND, Duration

_AIM: Final = 0.05
_LEAST, _MOST = 50, 2_000
_SHORTEST: Final[Duration] = SECOND // 100
_LONGEST: Final[Duration] = SECOND


class Pace:
    """Pages of about 50 ms, then a pause as long as the page took: half of the time is live
    work's. Where live work already makes a page take longer, pages shrink and pauses grow."""

    def __init__(self) -> None:
        self.people = 400
        self.pause = _SHORTEST

    def took(self, people: int, seconds: float) -> None:
        """A page of so many people is done."""
        if people:
            fitting = round(people * _AIM / max(seconds, 1e-6))
            # By halves and doubles at most: one slow page may be chance.
            fitting = min(max(fitting, self.people // 2), self.people * 2)
            self.people = min(max(fitting, _LEAST), _MOST)
        self.pause = min(max(round(seconds * SECOND), _SHORTEST), _LONGEST)
