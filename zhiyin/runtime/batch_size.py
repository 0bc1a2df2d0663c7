"""How large a batch may be: what has arrived, up to a limit that gives way to its cost."""

from typing import Final

_FIRST: Final = 500
_LEAST: Final = 50
_LARGEST: Final = 16 * 2**20
_LONGEST: Final = 5.0


class BatchSize:
    """Of one lane. Where much is waiting, larger batches cost less per record: more of a person's
    records share one document, one row and one message. But where records lead to large messages,
    or a transaction takes long, smaller ones bound memory, locks and delay."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.limit = min(most, _FIRST)

    def took(self, records: int, size: int, seconds: float) -> None:
        """A batch is done: how many bytes it read and wrote, and how long it took."""
        if size > _LARGEST or seconds > _LONGEST:
            self.limit = max(min(_LEAST, self._most), min(self.limit, records) // 2)
        elif records >= self.limit and size < _LARGEST // 2:
            self.limit = min(self._most, self.limit * 2)
