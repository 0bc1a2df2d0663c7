"""Posting events from a file or a dataset to a running platform."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw
from rich.console import Console

from zhiyin.contracts.instants import Instant
from zhiyin.demo.connection import read_connection
from zhiyin.demo.errors import DemoError
from zhiyin.demo.gateway import Rejection, reach
from zhiyin.demo.plan import keep_plan, new_plan, read_plan
from zhiyin.demo.screen import meter
from zhiyin.demo.sending import send
from zhiyin.demo.story import DATASETS, posted, whole_story

_SHOWN: Final = 10


@dataclass
class _Rejected:
    """Counts what was not taken and keeps the first few reasons."""

    count: int = 0
    first: list[Rejection] = field(default_factory=list)

    def add(self, more: Sequence[Rejection]) -> None:
        self.count += len(more)
        self.first += more[: _SHOWN - len(self.first)]


async def run_replay(
    console: Console,
    source: str,
    data: Path,
    now: Instant,
    *,
    rate: float | None = None,
    as_import: bool = False,
) -> bool:
    """Post a JSONL file, or a dataset by name. False when the gateway rejected some events; the
    others are in. Raises DemoError."""
    connection = read_connection(data)
    total, events = (
        _dataset(source, data, now, as_import=as_import)
        if source in DATASETS
        else _file(Path(source), as_import=as_import)
    )
    rejected = _Rejected()
    async with reach(connection) as gateway:
        with meter(console, source, total) as progress:
            await send(gateway, events, progress, rate, rejected.add)
    console.print(f"{total - rejected.count:,} events accepted, {rejected.count:,} rejected")
    for one in rejected.first:
        console.print(f"  {one}", markup=False)
    return rejected.count == 0


def _dataset(
    name: str, data: Path, now: Instant, *, as_import: bool
) -> tuple[int, Iterator[bytes]]:
    """A dataset's events under the data folder's plan, so that the demo posts the same ones."""
    story = whole_story([name])
    plan = read_plan(data)
    if plan is None:
        plan = new_plan(story.ends, now)
        keep_plan(data, plan)
    imported = as_import or None
    return len(story.drafts), (posted(draft, plan, imported=imported) for draft in story.drafts)


def _file(path: Path, *, as_import: bool) -> tuple[int, Iterator[bytes]]:
    """Read twice: nothing is posted of a file that is broken somewhere, and none need fit into
    memory."""
    total = sum(1 for _ in _events(path, as_import=as_import))
    return total, _events(path, as_import=as_import)


def _events(path: Path, *, as_import: bool) -> Iterator[bytes]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _event(f"{path}, line {number}", line, as_import=as_import)
    except OSError as error:
        names = ", ".join(DATASETS)
        raise DemoError(
            f"{path} cannot be read ({error.strerror}); it is no dataset either: {names}"
        ) from error


def _event(place: str, line: bytes, *, as_import: bool) -> bytes:
    try:
        event = msgspec.json.decode(line, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DemoError(f"{place}: {error}") from error
    if as_import:
        event["import"] = Raw(b"true")
    return msgspec.json.encode(event)
