"""The gateway's app: every part wired to what it needs, every call declared."""

import os
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
from fastapi import FastAPI
from msgspec import Struct
from prometheus_client import Counter
from redis.asyncio import Redis

from services.gateway.about import ABOUT
from services.gateway.auth import Gatekeeper
from services.gateway.calls import Call, Forwarder
from services.gateway.domain.door import Door
from services.gateway.domain.health import Delay, Told
from services.gateway.domain.tokens import Tokens
from services.gateway.erasures import Erasures
from services.gateway.exporting import Exporter
from services.gateway.hot import Breaker, HotCopy
from services.gateway.idempotency import Idempotency
from services.gateway.ingest import Ingest
from services.gateway.keyring import Keyring
from services.gateway.limits import RateLimits
from services.gateway.middleware import InternalOnly, PublicHeaders, Veil
from services.gateway.openapi import Handler, document, mount
from services.gateway.people import People
from services.gateway.prepare import Preparation
from services.gateway.presence import Presence
from services.gateway.rotation import Rotation
from services.gateway.routes import (
    dead_letters,
    erasures,
    events,
    exports,
    keys,
    master_keys,
    pages,
    profile_export,
    profiles,
    reference,
    reveals,
    system,
    tracking,
    trail,
)
from services.gateway.routes.forwarded import FORWARDED
from services.gateway.sealing import Sealer
from services.gateway.settings import GatewaySettings
from services.gateway.stores.answers import AnswerStore
from services.gateway.stores.audit import AuditTrail
from services.gateway.stores.erasures import ErasureStore
from services.gateway.stores.keys import KeyStore
from services.gateway.stores.master_keys import MasterKeyStore
from services.gateway.stores.tracking import TrackingStore
from services.gateway.stores.vault import Vault
from services.gateway.tracking import Tracking
from services.gateway.unmasking import Unmasking
from services.gateway.upstreams import ENGAGEMENT, PROFILE, SEGMENTATION, Upstreams
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.web import memory_bytes, service_app


class Clients(Struct, frozen=True):
    """What the gateway talks to; opened and closed by `main`."""

    database: Database
    redis: Redis
    log: EventLog
    http: httpx.AsyncClient


class Gateway:
    """Everything between the clients and the routes, built once."""

    def __init__(
        self, settings: GatewaySettings, clients: Clients, telemetry: Telemetry, clock: Clock
    ) -> None:
        keyring = Keyring(settings.service.secret_key, settings.master_keys)
        sealer = Sealer(keyring.masters)
        database = clients.database
        self.settings = settings
        self.telemetry = telemetry
        self.clock = clock
        self.token = internal_token(settings.service.secret_key)
        self.database = database
        self.keys = KeyStore(database)
        self.audit = AuditTrail(database, clock)
        self.idempotency = Idempotency(AnswerStore(database, sealer))
        self.vault = Vault(database, sealer)
        self.sealer = sealer
        self.master_keys = MasterKeyStore(database)
        self.rotation = Rotation(self.master_keys, sealer, clock)
        limits = RateLimits(clients.redis, settings.rate_limit)
        self.gate = Gatekeeper(self.keys, limits, clock)
        self.unmasking = Unmasking(self.vault, self.audit)
        self.door = Door(Tokens(keyring.tokens), settings.service.currency, settings.phone_region)
        counted = Counter(
            "zhiyin_gateway_events", "Events judged", ["outcome"], registry=telemetry.registry
        )
        self.tracking_store = TrackingStore(database)
        self.tracking = Tracking(self.tracking_store)
        self.ingest = Ingest(
            self.door,
            self.vault,
            clients.log,
            counted,
            self.tracking.tallies,
            settings.most_in_flight,
        )
        self.upstreams = Upstreams(_urls(settings), clients.http, self.token)
        self.people = People(HotCopy(clients.redis, Breaker()), self.upstreams)
        self.erasure_store = ErasureStore(database)
        self.erasures = Erasures(self.erasure_store, self.upstreams, self.vault, clock)
        self.presence = Presence(clients.redis, self.told, clock)

    def told(self) -> Told:
        """What this process says of itself."""
        delays = msgspec.convert(
            msgspec.to_builtins(self.telemetry.delays.snapshot()), dict[str, Delay], strict=False
        )
        instance = self.settings.service.instance
        versions = tuple(sorted(self.sealer.versions))
        memory = memory_bytes()
        return Told("gateway", instance, os.getpid(), memory, delays, master_keys=versions)


def _urls(settings: GatewaySettings) -> Mapping[str, tuple[str, ...]]:
    return {
        PROFILE: settings.service.profile_urls,
        SEGMENTATION: settings.service.segmentation_urls,
        ENGAGEMENT: settings.service.engagement_urls,
    }


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
    calls = (*(call for call, _ in own), *FORWARDED)
    app.openapi = _once(app, calls)  # type: ignore[method-assign]
    app.add_route("/docs", reference.reference_page(app.openapi), include_in_schema=False)
    app.add_middleware(InternalOnly, token=gateway.token)
    app.add_middleware(PublicHeaders)
    app.add_middleware(Veil, tokens=gateway.door.token)
    return app


def _own_calls(gateway: Gateway) -> list[tuple[Call, Handler]]:
    """What the gateway answers itself."""
    gate, clock = gateway.gate, gateway.clock
    event = events.EventRoutes(gate, gateway.ingest, clock)
    profile = profiles.ProfileRoutes(
        gate,
        gateway.people,
        gateway.door,
        gateway.unmasking,
        clock,
        gateway.settings.service.currency,
        ZoneInfo(gateway.settings.service.timezone),
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
    key = keys.KeyRoutes(gate, gateway.keys, gateway.audit, gateway.idempotency, clock)
    master = master_keys.MasterKeyRoutes(
        gate, gateway.master_keys, gateway.sealer, gateway.presence.all, gateway.audit
    )
    audit = trail.AuditRoutes(gate, gateway.audit)
    letters = dead_letters.DeadLetterRoutes(gate, gateway.upstreams, gateway.audit)
    export = exports.ExportRoutes(gate, gateway.upstreams, gateway.vault, gateway.audit)
    state = system.SystemRoutes(gate, gateway.upstreams, gateway.presence.all, clock)
    return [
        (events.CALL, event.post),
        (profiles.BY, profile.by_identifier),
        (profiles.SHOW, profile.show),
        (profile_export.EXPORT, exporting.export),
        (erasures.ERASE, erasing.erase),
        (erasures.SHOW, erasing.show),
        (keys.LIST, key.list),
        (keys.CREATE, key.create),
        (keys.REVOKE, key.revoke),
        (master_keys.SHOW, master.show),
        (master_keys.ROTATE, master.rotate),
        (trail.LIST, audit.list),
        (tracking.LIST, tracking.TrackingRoutes(gate, gateway.tracking_store).list),
        (dead_letters.LIST, letters.list),
        (dead_letters.REPLAY, letters.replay),
        (system.SHOW, state.show),
        (exports.CALL, export.export),
    ]


def _once(app: FastAPI, calls: tuple[Call, ...]) -> Any:
    made: list[dict[str, Any]] = []

    def openapi() -> dict[str, Any]:
        if not made:
            made.append(document(app, calls))
        return made[0]

    return openapi
