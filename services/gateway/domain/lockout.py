"""How long who failed to sign in has to wait before the next attempt."""

from typing import Final

from msgspec import Struct

from zhiyin.contracts.instants import DAY, MINUTE, SECOND, Duration, Instant

# Nobody is locked out by attempts of long ago.
FORGOTTEN: Final[Duration] = DAY
_FIRST: Final[Duration] = 30 * SECOND
_LONGEST: Final[Duration] = 15 * MINUTE


class Attempts(Struct, frozen=True):
    """Those of one account, or from one network."""

    failures: int
    last_at: Instant
    locked_until: Instant

    def wait(self, now: Instant) -> Duration:
        """How long before the next attempt. Without a lock `locked_until` is that of the last
        attempt, which may be ahead of `now`: of two at once the later may have read its clock
        first."""
        locked = self.locked_until > self.last_at
        return max(self.locked_until - now, 0) if locked else 0


def another(before: Attempts, free: int, now: Instant) -> Attempts:
    """With one attempt more, which counts as failed until it has succeeded: so many at once are
    no way around. From the `free`th failure on each doubles the wait, up to 15 minutes."""
    past = 0 if now - before.last_at > FORGOTTEN else before.failures
    failures = past + 1
    wait = 0 if failures < free else min(_FIRST << min(failures - free, 10), _LONGEST)
    return Attempts(failures, now, now + wait)
