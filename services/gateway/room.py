"""How much memory the bodies of requests may take at once, all requests of a process together."""

from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from zhiyin.runtime.problems import Problem

_SCOPE: Final = "zhiyin.room"


class Room:
    """`free` bytes. What a request took it gives back when it has been answered."""

    def __init__(self, size: int) -> None:
        self.free = size


class _Taken:
    """What one request has taken."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def take(self, size: int) -> None:
        if size > self._room.free:
            raise Problem(429, "busy", "too much is being taken in", retry_after=1)
        self._room.free -= size
        self._size += size

    def give_back(self) -> None:
        self._room.free += self._size


class Bounded:
    """Lets each request take room, and gives it back."""

    def __init__(self, app: ASGIApp, room: Room) -> None:
        self._app = app
        self._room = room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        scope[_SCOPE] = taken = _Taken(self._room)
        try:
            await self._app(scope, receive, send)
        finally:
            taken.give_back()


def take_room(request: Request, size: int) -> None:
    """Before bytes of a body are kept. Raises Problem (429)."""
    taken: _Taken | None = request.scope.get(_SCOPE)
    if taken is not None:
        taken.take(size)
