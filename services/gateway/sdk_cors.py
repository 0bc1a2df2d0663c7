"""Pages of any shop may call what their libraries call.

The key in a request is all that counts there, and a browser sends none of its own accord; so an
origin tells nothing, as with the services these libraries were made for. Other calls keep to the
list of origins.
"""

from collections.abc import Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.cors import Cors


class SdkCors:
    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._open = Cors(self._settled, origins=["*"])
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        public = scope["type"] == "http" and scope["path"] in self._paths
        await (self._open if public else self._app)(scope, receive, send)

    async def _settled(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Without the origin, so that the list further in does not judge it again."""
        headers = [each for each in scope["headers"] if each[0] != b"origin"]
        await self._app({**scope, "headers": headers}, receive, send)
