"""The gateway's app: every part wired to what it needs, every call declared."""

from typing import Any
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from starlette.middleware import Middleware

from services.gateway.about import ABOUT
from services.gateway.calls import Call
from services.gateway.cors import Cors
from services.gateway.exporting import Exporter
from services.gateway.finishing import Finishing
from services.gateway.forwarding import Forwarder
from services.gateway.middleware import InternalOnly, PublicHeaders, Veil
from services.gateway.openapi import Handler, document, mount
from services.gateway.parts import Gateway
from services.gateway.prepare import Preparation
from services.gateway.room import Bounded
from services.gateway.routes import (
    dead_letters,
    erasures,
    events,
    exports,
    keys,
    live,
    master_keys,
    me,
    names,
    oidc,
    open_doors,
    operators,
    pages,
    profile_export,
    profile_reads,
    profiles,
    reference,
    replays,
    reveals,
    sdk_settings,
    sdks,
    sessions,
    system,
    template_previews,
    topics,
    tracking,
    trail,
)
from services.gateway.routes.forwarded import FORWARDED
from services.gateway.sdk_cors import SdkCors
from services.gateway.showing import Showing
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
    own = _own_calls(gateway)
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
    from_inside = events.EventRoutes(gateway.gate, gateway.ingest, gateway.clock).from_inside
    app.add_route(events.INTERNAL, from_inside, methods=["POST"], include_in_schema=False)
    doors = open_doors.OpenDoors(gateway.gate, gateway.upstreams)
    for path, open_to_all, methods in open_doors.paths(doors):
        app.add_route(path, open_to_all, methods=methods, include_in_schema=False)
    replay = replays.ReplayRoutes(gateway.upstreams)
    app.add_route(replays.REPLAY, replay.replay, methods=["POST"], include_in_schema=False)
    app.add_route(replays.SEGMENTS, replay.segments, include_in_schema=False)
    unknown = names.NamesRoute(gateway.upstreams).unknown
    app.add_route(names.PATH, unknown, methods=["POST"], include_in_schema=False)
    _add_sdk_paths(app, gateway)
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
    app.add_middleware(SdkCors, paths=_sdk_paths(gateway))
    app.add_middleware(sdk_settings.WriteKeyVeil)
    return app


def _sdk_paths(gateway: Gateway) -> set[str]:
    routes = _sdk_routes(gateway)
    documented = {call.path for call, _ in routes.calls()}
    others = {path for path, _ in routes.others()}
    return {*documented, *others, sdk_settings.SOURCE.path, sdk_settings.SETTINGS_PATH}


def _add_sdk_paths(app: FastAPI, gateway: Gateway) -> None:
    """What libraries call that is documented under another name, or for nobody else."""
    for path, handler in _sdk_routes(gateway).others():
        app.add_route(path, handler, methods=["POST"], include_in_schema=False)
    settings = sdk_settings.SdkSettings(gateway.gate).segment
    app.add_route(sdk_settings.SETTINGS_PATH, settings, include_in_schema=False)


def _sdk_routes(gateway: Gateway) -> sdks.SdkRoutes:
    return sdks.SdkRoutes(gateway.gate, gateway.ingest, gateway.sdk, gateway.clock)


def _own_calls(gateway: Gateway) -> list[tuple[Call, Handler]]:
    """What the gateway answers itself."""
    gate, clock = gateway.gate, gateway.clock
    event = events.EventRoutes(gate, gateway.ingest, clock)
    shared = gateway.settings.service
    profile = profile_reads.ProfileReads(
        gate,
        gateway.people,
        gateway.door,
        gateway.unmasking,
        Showing(shared.currency, ZoneInfo(shared.timezone)),
        clock,
    )
    erasing = erasures.ErasureRoutes(
        gate, gateway.people, gateway.erasure_store, gateway.erasures, gateway.audit
    )
    exporting = profile_export.ExportRoute(
        gate,
        gateway.people,
        Exporter(gateway.upstreams),
        gateway.unmasking,
        gateway.audit,
        clock,
        gateway.settings.service.currency,
    )
    staff = gateway.staff
    session = sessions.SessionRoutes(
        gate,
        staff.signing_in,
        staff.sessions,
        staff.session_store,
        gateway.audit,
        clock,
        secure=gateway.settings.secure,
    )
    elsewhere = oidc.OidcRoutes(
        gate,
        staff.provider,
        staff.signing_in_elsewhere,
        staff.flow_key,
        clock,
        secure=gateway.settings.secure,
    )
    mine = me.MeRoutes(
        gate,
        staff.accounts,
        staff.operators,
        staff.signing_in,
        staff.second_factor,
        staff.sessions,
        staff.tokens,
        gateway.audit,
    )
    operator = operators.OperatorRoutes(gate, staff.accounts, staff.operators, gateway.idempotency)
    key = keys.KeyRoutes(gate, gateway.keys, gateway.audit, gateway.idempotency, clock)
    master = master_keys.MasterKeyRoutes(
        gate, gateway.master_keys, gateway.sealer, gateway.presence.all, gateway.audit
    )
    audit = trail.AuditRoutes(gate, gateway.audit)
    letters = dead_letters.DeadLetterRoutes(gate, gateway.upstreams, gateway.audit)
    downloads = exports.ExportRoutes(gate, gateway.upstreams, gateway.vault, gateway.audit)
    previews = template_previews.TemplatePreviews(
        gate, gateway.people, gateway.upstreams, gateway.audit
    )
    state = system.SystemRoutes(
        gate,
        gateway.upstreams,
        gateway.presence.all,
        gateway.probes,
        gateway.settings.service.partitions,
        clock,
    )
    return [
        (events.CALL, event.post),
        *_sdk_routes(gateway).calls(),
        (sdk_settings.SOURCE, sdk_settings.SdkSettings(gate).source),
        (profiles.BY, profile.by_identifier),
        (profiles.SHOW, profile.by_id),
        (profile_export.EXPORT, exporting.export),
        (erasures.ERASE, erasing.erase),
        (erasures.SHOW, erasing.show),
        (sessions.CREATE, session.create),
        (sessions.REFRESH, session.refresh),
        (oidc.BEGIN, elsewhere.begin),
        (oidc.FINISH, elsewhere.finish),
        (sessions.LIST, session.list),
        (sessions.END, session.end),
        (me.SHOW, mine.show),
        (me.PASSWORD, mine.password),
        (me.ENROL, mine.enrol),
        (me.CONFIRM, mine.confirm),
        (me.REMOVE, mine.remove),
        (me.RECOVERY, mine.recovery_codes),
        (operators.LIST, operator.list),
        (operators.CREATE, operator.create),
        (operators.SHOW, operator.show),
        (operators.UPDATE, operator.update),
        (operators.ERASE, operator.erase),
        (operators.RESET_PASSWORD, operator.reset_password),
        (operators.RESET_TOTP, operator.reset_totp),
        (operators.ROLE_LIST, operator.roles),
        (keys.LIST, key.list),
        (keys.CREATE, key.create),
        (keys.ROTATE, key.rotate),
        (keys.REVOKE, key.revoke),
        (master_keys.SHOW, master.show),
        (master_keys.ROTATE, master.rotate),
        (trail.HEAD, audit.head),
        (trail.VERIFY, audit.verify),
        (trail.LIST, audit.list),
        (tracking.LIST, tracking.TrackingRoutes(gate, gateway.tracking_store).list),
        (dead_letters.LIST, letters.list),
        (dead_letters.REPLAY, letters.replay),
        (system.SHOW, state.show),
        *live.LiveRoutes(gate, gateway.log, gateway.listeners, state).calls(),
        (exports.CALL, downloads.export),
        *((call, previews.show) for call in (template_previews.DRAFT, template_previews.PREVIEW)),
    ]


def _once(app: FastAPI, calls: tuple[Call, ...]) -> Any:
    made: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not made:
            made.append(document(app, calls))
        return made[0]

    return openapi
