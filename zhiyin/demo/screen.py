"""The terminal: a progress bar where somebody watches, plain lines where nobody does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_LINE_EVERY: Final = 5.0  # seconds


class Meter(Protocol):
    def advance(self, events: int) -> None: ...


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "–/s", style="progress.data.speed")


class _Bar:
    def __init__(self, progress: Progress, title: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total)

    def advance(self, events: int) -> None:
        self._progress.advance(self._task, events)


class _Lines:
    """One line every few seconds, for logs."""

    def __init__(self, console: Console, title: str, total: int) -> None:
        self._console, self._title, self._total = console, title, total
        self._begun = self._told = time.monotonic()
        self._done = 0

    def advance(self, events: int) -> None:
        self._done += events
        now = time.monotonic()
        if now - self._told >= _LINE_EVERY or self._done >= self._total:
            self._told = now
            rate = self._done / max(now - self._begun, 1e-9)
            left = (self._total - self._done) / rate if rate else 0.0
            self._console.print(
                f"{self._title}: {self._done:,}/{self._total:,}  {rate:,.0f}/s  {left:.0f} s left"
            )


@contextmanager
def meter(console: Console, title: str, total: int) -> Iterator[Meter]:
    """Shows `title` with count, rate and time left while the block runs."""
    if not console.is_terminal:
        yield _Lines(console, title, total)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        yield _Bar(progress, title, total)
