"""What the libraries for browsers ask for before they send anything: a source that is switched on,
with nothing else to load."""

import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway.calls import Admits, Call, Query
from services.gateway.domain.scopes import EVENTS_WRITE
from zhiyin.runtime.web import json

_TAG: Final = "SDKs"
_ALWAYS: Final = "2026-01-01T00:00:00.000Z"
_SETTINGS: Final = re.compile(r"/v1/projects/(?P<key>[^/]+)/settings")
_KEY: Final = "zhiyin.write_key"
# The key is not part of the path by then: paths are written to logs and traces.
SETTINGS_PATH: Final = "/v1/projects/-/settings"
_SOURCE: Final[dict[str, Any]] = {
    "source": {
        "id": "zhiyin",
        "name": "Zhiyin",
        "writeKey": "zk_…",
        "workspaceId": "zhiyin",
        "enabled": True,
        "config": {
            "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}
        },
        "destinations": [],
        "dataplanes": {},
        "createdAt": _ALWAYS,
        "updatedAt": _ALWAYS,
    },
    "updatedAt": _ALWAYS,
}

SOURCE: Final = Call(
    method="GET",
    path="/sourceConfig/",
    scope=EVENTS_WRITE,
    service="gateway",
    name="sdk.source",
    summary="What RudderStack's browser SDK asks first: the source, without destinations",
    tag=_TAG,
    query=(Query("writeKey", "the key again, as the SDK sends it; unused"),),
    answer=dict[str, Any],
    answer_example=_SOURCE,
)


class SdkSettings:
    def __init__(self, gate: Admits) -> None:
        self._gate = gate

    async def source(self, request: Request) -> Response:
        await self._gate.admit(request, EVENTS_WRITE)
        key = request.query_params.get("writeKey", "")
        return json({**_SOURCE, "source": {**_SOURCE["source"], "writeKey": key}})

    async def segment(self, request: Request) -> Response:
        """Segment's has it from a public place, without a key; so it tells nothing."""
        here = f"{request.url.netloc}/v1"
        return json(
            {
                "integrations": {
                    "Segment.io": {
                        "apiKey": request.scope.get(_KEY, ""),
                        "apiHost": here,
                        "protocol": request.url.scheme,
                        "unbundledIntegrations": [],
                        "addBundledMetadata": False,
                        "versionSettings": {"componentTypes": []},
                    }
                },
                "plan": {},
                "edgeFunction": {},
                "analyticsNextEnabled": True,
                "middlewareSettings": {},
                "enabledMiddleware": {},
                "metrics": {"sampleRate": 0},
                "legacyVideoPluginsEnabled": False,
                "remotePlugins": [],
            }
        )


class WriteKeyVeil:
    """Takes the key out of the path before anything else sees it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (found := _SETTINGS.fullmatch(scope["path"])):
            path = SETTINGS_PATH
            scope = {**scope, "path": path, "raw_path": path.encode(), _KEY: found["key"]}
        await self._app(scope, receive, send)
