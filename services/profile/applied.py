"""Waiting until what a receipt names has been applied."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from services.profile import reads
from zhiyin.contracts.receipts import Mark
from zhiyin.contracts.topics import EVENTS
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

_POLL_SECONDS: Final = 0.01
_MOST_MARKS: Final = 2_500


def marks_in(text: str) -> list[Mark]:
    """`topic:partition:offset,…`. Raises Problem: 422."""
    parts = text.split(",") if text else []
    marks = [_mark(part) for part in parts[:_MOST_MARKS]]
    if not marks or len(parts) > _MOST_MARKS:
        raise _invalid()
    return marks


async def applied(database: Database, marks: Sequence[Mark], wait: float) -> bool:
    """Whether everything before the marks is applied within `wait` seconds."""
    deadline = time.monotonic() + wait
    while True:
        async with database.connection() as connection:
            positions = await reads.positions(connection)
        if all(positions.get((mark.topic, mark.number), 0) >= mark.offset for mark in marks):
            return True
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL_SECONDS)


def _mark(text: str) -> Mark:
    topic, _, rest = text.partition(":")
    number, _, offset = rest.partition(":")
    if topic not in EVENTS or not (_whole(number) and _whole(offset)):
        raise _invalid()
    return Mark(topic, int(number), int(offset))


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _invalid() -> Problem:
    return Problem(422, "invalid_positions", "positions are topic:partition:offset,…")
