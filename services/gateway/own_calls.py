"""What the gateway answers itself, in the order in which the reference tells it."""

from zoneinfo import ZoneInfo

from services.gateway.calls import Call
from services.gateway.exporting import Exporter
from services.gateway.openapi import Handler
from services.gateway.parts import Gateway
from services.gateway.routes import (
    dead_letters,
    erasures,
    events,
    exports,
    keys,
    live,
    master_keys,
    me,
    oidc,
    operators,
    profile_export,
    profile_reads,
    profiles,
    sdk_settings,
    sessions,
    system,
    template_previews,
    tracking,
    trail,
)
from services.gateway.routes.sdks import SdkRoutes
from services.gateway.showing import Showing

Calls = list[tuple[Call, Handler]]


def own_calls(gateway: Gateway, event: events.EventRoutes, sdk: SdkRoutes) -> Calls:
    return [
        (events.CALL, event.post),
        *sdk.calls(),
        (sdk_settings.SOURCE, sdk_settings.SdkSettings(gateway.gate).source),
        *_of_profiles(gateway),
        *_of_operators(gateway),
        *_of_keys(gateway),
        *_of_operations(gateway),
        *_of_downloads(gateway),
    ]


def _of_profiles(gateway: Gateway) -> Calls:
    gate, service = gateway.gate, gateway.settings.service
    profile = profile_reads.ProfileReads(
        gate,
        gateway.people,
        gateway.door,
        gateway.unmasking,
        Showing(service.currency, ZoneInfo(service.timezone)),
        gateway.clock,
    )
    exporting = profile_export.ExportRoute(
        gate,
        gateway.people,
        Exporter(gateway.upstreams),
        gateway.unmasking,
        gateway.audit,
        gateway.clock,
        service.currency,
    )
    erasing = erasures.ErasureRoutes(
        gate, gateway.people, gateway.erasure_store, gateway.erasures, gateway.audit
    )
    return [
        (profiles.BY, profile.by_identifier),
        (profiles.SHOW, profile.by_id),
        (profile_export.EXPORT, exporting.export),
        (erasures.ERASE, erasing.erase),
        (erasures.SHOW, erasing.show),
    ]


def _of_operators(gateway: Gateway) -> Calls:
    gate, staff, secure = gateway.gate, gateway.staff, gateway.settings.secure
    session = sessions.SessionRoutes(
        gate,
        staff.signing_in,
        staff.sessions,
        staff.session_store,
        gateway.audit,
        gateway.clock,
        secure=secure,
    )
    elsewhere = oidc.OidcRoutes(
        gate,
        staff.provider,
        staff.signing_in_elsewhere,
        staff.flow_key,
        gateway.clock,
        secure=secure,
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
    return [
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
    ]


def _of_keys(gateway: Gateway) -> Calls:
    gate, clock = gateway.gate, gateway.clock
    key = keys.KeyRoutes(gate, gateway.keys, gateway.audit, gateway.idempotency, clock)
    master = master_keys.MasterKeyRoutes(
        gate, gateway.master_keys, gateway.sealer, gateway.presence.all, gateway.audit
    )
    return [
        (keys.LIST, key.list),
        (keys.CREATE, key.create),
        (keys.ROTATE, key.rotate),
        (keys.REVOKE, key.revoke),
        (master_keys.SHOW, master.show),
        (master_keys.ROTATE, master.rotate),
    ]


def _of_operations(gateway: Gateway) -> Calls:
    gate = gateway.gate
    audit = trail.AuditRoutes(gate, gateway.audit)
    letters = dead_letters.DeadLetterRoutes(gate, gateway.upstreams, gateway.audit)
    state = system.SystemRoutes(
        gate,
        gateway.upstreams,
        gateway.presence.all,
        gateway.probes,
        gateway.settings.service.partitions,
        gateway.clock,
    )
    return [
        (trail.HEAD, audit.head),
        (trail.VERIFY, audit.verify),
        (trail.LIST, audit.list),
        (tracking.LIST, tracking.TrackingRoutes(gate, gateway.tracking_store).list),
        (dead_letters.LIST, letters.list),
        (dead_letters.REPLAY, letters.replay),
        (system.SHOW, state.show),
        *live.LiveRoutes(gate, gateway.log, gateway.listeners, state).calls(),
    ]


def _of_downloads(gateway: Gateway) -> Calls:
    gate, upstreams, audit = gateway.gate, gateway.upstreams, gateway.audit
    downloads = exports.ExportRoutes(gate, upstreams, gateway.vault, audit)
    previews = template_previews.TemplatePreviews(gate, gateway.people, upstreams, audit)
    return [
        (exports.CALL, downloads.export),
        *((call, previews.show) for call in (template_previews.DRAFT, template_previews.PREVIEW)),
    ]
