"""When to start again what has ended without being asked to."""

from dataclasses import dataclass

FIRST_SECONDS = 0.2
LONGEST_SECONDS = 10.0
HEALTHY_SECONDS = 60.0


@dataclass
class Backoff:
    """Waits 0.2 s, then twice as long each time up to 10 s; a minute without an end forgets
    the earlier ones. Times are monotonic seconds."""

    failures: int = 0
    total: int = 0
    _started: float = 0.0
    _next: float | None = None

    def started(self, now: float) -> None:
        self._started = now
        self._next = None

    def ended(self, now: float) -> None:
        """Notes that it ended; says nothing new when told twice."""
        if self._next is not None:
            return
        if now - self._started > HEALTHY_SECONDS:
            self.failures = 0
        self._next = now + min(LONGEST_SECONDS, FIRST_SECONDS * 2**self.failures)
        self.failures += 1
        self.total += 1

    def may_start(self, now: float) -> bool:
        return self._next is not None and now >= self._next
