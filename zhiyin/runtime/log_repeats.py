"""Keeps a library that says the same thing hundreds of times a second from filling the disk."""

import logging
from collections.abc import Callable
from typing import Final

_QUIET: Final = 10.0
_MOST_KINDS: Final = 1_000


class Repeats(logging.Filter):
    """Lets lines made from the same words through once in ten seconds; the next one says how many
    were left out. `monotonic`: seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        kind, now = (record.name, str(record.msg)), self._monotonic()
        told, left_out = self._seen.get(kind, (-_QUIET, 0))
        if now - told < _QUIET:
            self._seen[kind] = (told, left_out + 1)
            return False
        if len(self._seen) >= _MOST_KINDS:
            self._seen.clear()
        self._seen[kind] = (now, 0)
        if left_out:
            record.msg, record.args = f"{record.getMessage()} (and {left_out} times before)", ()
        return True
