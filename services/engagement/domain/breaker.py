"""A circuit breaker: after failures in a row a destination is left alone for a while."""

from dataclasses import dataclass
from typing import Final

from zhiyin.contracts.instants import MINUTE, SECOND, Duration, Instant

_FAILURES: Final = 5
_FIRST_REST: Final[Duration] = 2 * SECOND
_LONGEST_REST: Final[Duration] = MINUTE


@dataclass(slots=True)
class Breaker:
    """Closed: `allowance` is all of it. Open: nothing until the rest is over. Then one try at a
    time, until one succeeds."""

    failures: int = 0
    rest_until: Instant = 0

    def allowance(self, now: Instant, concurrency: int, busy: int) -> int:
        """How many more deliveries may begin now."""
        if now < self.rest_until:
            return 0
        if self.failures < _FAILURES:
            return max(concurrency - busy, 0)
        return max(1 - busy, 0)

    def succeeded(self) -> None:
        self.failures = 0

    def asked_to_wait(self, now: Instant, length: Duration) -> None:
        """The receiver itself said how long; heard for a minute at most, since one parcel's
        answer should not silence a whole channel for longer."""
        self.rest_until = max(self.rest_until, now + min(length, _LONGEST_REST))

    def rests(self, until: Instant) -> None:
        """It takes nothing until then, and says so itself: no failure, but no use in asking."""
        self.rest_until = max(self.rest_until, until)

    def failed(self, now: Instant) -> None:
        self.failures += 1
        if self.failures >= _FAILURES:
            rest = _FIRST_REST * 2 ** min(self.failures - _FAILURES, 10)
            self.rest_until = now + min(rest, _LONGEST_REST)
