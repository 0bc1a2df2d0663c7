"""What a lane knows of its outbox rows: committed, published, settled, ready to be deleted."""

from collections.abc import Callable, Iterable, Sequence

from zhiyin.runtime.outbox import Row

PUBLISHED = 1
SETTLED = 2
DONE = PUBLISHED | SETTLED


class Ledger:
    def __init__(self) -> None:
        self._rows: dict[Row, int] = {}

    def add(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._rows.setdefault(row, 0)

    def published(self, rows: Sequence[Row]) -> None:
        self._mark(rows, PUBLISHED)

    def settled(self, rows: Sequence[Row]) -> None:
        self._mark(rows, SETTLED)

    def known(self) -> list[Row]:
        return list(self._rows)

    def done(self) -> list[Row]:
        """Rows that may be deleted."""
        return [row for row, state in self._rows.items() if state == DONE]

    def deleted(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._rows.pop(row, None)

    def forget(self, lost: Callable[[Row], bool]) -> None:
        self._rows = {row: state for row, state in self._rows.items() if not lost(row)}

    def __len__(self) -> int:
        return len(self._rows)

    def _mark(self, rows: Iterable[Row], state: int) -> None:
        for row in rows:
            if row in self._rows:
                self._rows[row] |= state
