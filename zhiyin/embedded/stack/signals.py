"""Being asked to stop, as an exception, so that starting can be interrupted anywhere."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ASKED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Interrupted(Exception):
    """Somebody asked this process to stop."""


def interrupt(_number: int, _frame: FrameType | None) -> None:
    ignore()
    raise Interrupted


def ignore() -> None:
    """Stopping goes on in peace however often it is asked for."""
    for number in ASKED:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, the first signal raises Interrupted and later ones do nothing."""
    before = {number: signal.signal(number, interrupt) for number in ASKED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
