"""Events collected and sent in batches, from a thread of its own."""

import atexit
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Self

import msgspec

from zhiyin_client.errors import BufferFull, ZhiyinError
from zhiyin_client.models import Event, Taken

_log = logging.getLogger("zhiyin_client")
Failed = Callable[[Sequence[Event], ZhiyinError], None]
_MOST_AT_ONCE: Final = 2500


class Batching:
    """Sends when `size` events are waiting or the first of them is `seconds` old, at `flush`, at
    the end of a `with` and at the end of the program. `failed` is told of events that could not be
    sent at all, `taken` of each answer (its receipt, and what was rejected)."""

    def __init__(
        self,
        send: Callable[[Sequence[Event]], Taken],
        *,
        size: int = 100,
        seconds: float = 1.0,
        most: int = 10_000,
        failed: Failed | None = None,
        taken: Callable[[Taken], None] | None = None,
    ) -> None:
        if not 1 <= size <= _MOST_AT_ONCE:
            raise ValueError(f"a batch has 1 to {_MOST_AT_ONCE} events")
        self._send = send
        self._size = size
        self._seconds = seconds
        self._most = most
        self._failed = failed
        self._taken = taken
        self._waiting: deque[Event] = deque()
        self._in_hand = 0
        self._asked = False
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="zhiyin-batching", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, event: Event) -> None:
        """Returns at once. Raises BufferFull if too many are waiting already, and TypeError for
        what JSON has no way to say."""
        msgspec.json.encode(event)
        with self._changed:
            if self._closing:
                raise BufferFull("it is closed")
            if len(self._waiting) >= self._most:
                raise BufferFull(f"{self._most} events are waiting to be sent")
            self._waiting.append(event)
            self._changed.notify_all()

    def flush(self) -> None:
        """Returns when everything added so far has been sent, or has failed."""
        with self._changed:
            self._asked = bool(self._waiting)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting and not self._in_hand)

    def close(self) -> None:
        """Sends what is left and ends the thread."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        atexit.unregister(self.close)

    def _run(self) -> None:
        while batch := self._next():
            try:
                self._tell(batch)
            except Exception:  # noqa: BLE001 - what the caller's functions raise ends no thread
                _log.exception("telling of a batch failed")
            with self._changed:
                self._in_hand = 0
                self._changed.notify_all()

    def _tell(self, batch: Sequence[Event]) -> None:
        try:
            answer = self._send(batch)
        except ZhiyinError as error:
            if self._failed is None:
                _log.warning("%d events were not sent: %s", len(batch), error)
            else:
                self._failed(batch, error)
            return
        if self._taken is not None:
            self._taken(answer)

    def _next(self) -> Sequence[Event]:
        """The next batch once it is due; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            due = time.monotonic() + self._seconds
            while not self._due() and (left := due - time.monotonic()) > 0:
                self._changed.wait(left)
            count = min(self._size, len(self._waiting))
            batch = [self._waiting.popleft() for _ in range(count)]
            self._in_hand = len(batch)
            self._asked = self._asked and bool(self._waiting)
            return batch

    def _due(self) -> bool:
        return self._asked or self._closing or len(self._waiting) >= self._size
