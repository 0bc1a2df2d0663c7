"""Finding the one item that makes a batch fail."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


async def bisect(
    items: Sequence[T],
    attempt: Callable[[Sequence[T]], Awaitable[None]],
    set_aside: Callable[[T, Exception], Awaitable[None]],
    is_hopeless: Callable[[Exception], bool],
) -> None:
    """Attempt all items; where that raises, each half on its own, down to single items, which are
    set aside. Halves are attempted in order, so the order of what succeeds is kept. Errors that
    are not `is_hopeless` are raised."""
    pending = [items]
    while pending:
        part = pending.pop()
        try:
            await attempt(part)
        except Exception as error:
            if not is_hopeless(error):
                raise
            if len(part) == 1:
                await set_aside(part[0], error)
            else:
                middle = len(part) // 2
                pending += [part[middle:], part[:middle]]
