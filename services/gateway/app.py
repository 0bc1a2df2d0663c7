"""The gateway's app: every part wired to what it needs, every call declared."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from services.gateway.about import ABOUT
from services.gateway.calls import Call
from services.gateway.cors import Cors
from services.gateway.finishing import Finishing
from services.gateway.forwarding import Forwarder
from services.gateway.middleware import InternalOnly, PublicHeaders, Veil
from services.gateway.openapi import document, mount
from services.gateway.own_calls import own_calls
from services.gateway.parts import Gateway
from services.gateway.prepare import Preparation
from services.gateway.room import Bounded
from services.gateway.routes import (
    events,
    names,
    open_doors,
    pages,
    reference,
    replays,
    reveals,
    sdk_settings,
    topics,
)
from services.gateway.routes.forwarded import FORWARDED
from services.gateway.routes.sdks import SdkRoutes
from services.gateway.sdk_cors import SdkCors
from zhiyin.runtime.web import service_app


def gateway_app(gateway: Gateway) -> FastAPI:
    """The app, with all its routes and their documentation."""
    app = service_app(
        gateway.settings.service,
        gateway.telemetry,
        database=gateway.database,
        guarded=False,
        title="Zhiyin gateway",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
    )
    event = events.EventRoutes(gateway.gate, gateway.ingest, gateway.clock)
    sdk = SdkRoutes(gateway.gate, gateway.ingest, gateway.sdk, gateway.clock)
    own = own_calls(gateway, event, sdk)
    forwarder = Forwarder(
        gateway.gate,
        gateway.upstreams,
        gateway.people,
        gateway.audit,
        gateway.idempotency,
        Preparation(gateway.door).by_name(),
    )
    for call, handler in own:
        mount(app, call, handler)
    for call in FORWARDED:
        mount(app, call, forwarder.endpoint(call))
    # Routes are tried in order: ours, in which events and profiles come first, before all others.
    app.router.routes.sort(key=lambda route: not getattr(route, "path", "").startswith("/v1/"))
    app.add_api_route("/console", pages.console, include_in_schema=False)
    reveal = reveals.RevealRoute(gateway.vault, gateway.audit).reveal
    app.add_route(reveals.PATH, reveal, methods=["POST"], include_in_schema=False)
    app.add_route(events.INTERNAL, event.from_inside, methods=["POST"], include_in_schema=False)
    doors = open_doors.OpenDoors(gateway.gate, gateway.upstreams)
    for path, open_to_all, methods in open_doors.paths(doors):
        app.add_route(path, open_to_all, methods=methods, include_in_schema=False)
    replay = replays.ReplayRoutes(gateway.upstreams)
    app.add_route(replays.REPLAY, replay.replay, methods=["POST"], include_in_schema=False)
    app.add_route(replays.SEGMENTS, replay.segments, include_in_schema=False)
    unknown = names.NamesRoute(gateway.upstreams).unknown
    app.add_route(names.PATH, unknown, methods=["POST"], include_in_schema=False)
    _add_sdk_paths(app, gateway, sdk)
    calls = (*(call for call, _ in own), *FORWARDED)
    app.openapi = _once(app, calls)  # type: ignore[method-assign]
    app.add_route("/asyncapi.json", topics.document(app.version), include_in_schema=False)
    app.add_route("/docs", reference.reference_page(app.openapi), include_in_schema=False)
    app.user_middleware.append(Middleware(Finishing))  # closest to the routes
    app.add_middleware(Bounded, room=gateway.room)
    app.add_middleware(InternalOnly, token=gateway.token)
    app.add_middleware(Cors, origins=gateway.settings.cors_origins)
    app.add_middleware(PublicHeaders)
    app.add_middleware(Veil, tokens=gateway.door.token)
    app.add_middleware(SdkCors, paths=_sdk_paths(sdk))
    app.add_middleware(sdk_settings.WriteKeyVeil)
    return app


def _sdk_paths(routes: SdkRoutes) -> set[str]:
    documented = {call.path for call, _ in routes.calls()}
    others = {path for path, _ in routes.others()}
    return {*documented, *others, sdk_settings.SOURCE.path, sdk_settings.SETTINGS_PATH}


def _add_sdk_paths(app: FastAPI, gateway: Gateway, routes: SdkRoutes) -> None:
    """What libraries call that is documented under another name, or for nobody else."""
    for path, handler in routes.others():
        app.add_route(path, handler, methods=["POST"], include_in_schema=False)
    settings = sdk_settings.SdkSettings(gateway.gate).segment
    app.add_route(sdk_settings.SETTINGS_PATH, settings, include_in_schema=False)


def _once(app: FastAPI, calls: tuple[Call, ...]) -> Any:
    made: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not made:
            made.append(document(app, calls))
        return made[0]

    return openapi
