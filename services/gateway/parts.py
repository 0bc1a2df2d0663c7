"""The gateway's parts, each wired to what it needs."""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import msgspec
from msgspec import Struct
from prometheus_client import Counter, Gauge
from redis.asyncio import Redis

from services.gateway.auth import Gatekeeper
from services.gateway.domain.door import Door
from services.gateway.domain.health import Delay, Told
from services.gateway.domain.tokens import Tokens
from services.gateway.erasures import Erasures
from services.gateway.hot import Breaker, HotCopy
from services.gateway.idempotency import Idempotency
from services.gateway.ingest import Ingest
from services.gateway.keyring import Keyring
from services.gateway.last_used import LastUsed
from services.gateway.limits import ProfileLimits, RateLimits
from services.gateway.live.following import Pace
from services.gateway.live.listeners import Listeners
from services.gateway.people import People
from services.gateway.presence import Presence
from services.gateway.room import Room
from services.gateway.rotation import Rotation
from services.gateway.sdk import SdkIngest
from services.gateway.sealing import Sealer
from services.gateway.settings import GatewaySettings
from services.gateway.staff import Staff
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
from zhiyin.contracts.topics import EVENTS
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.web import memory_bytes


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
        self.keys_used = LastUsed(self.keys.used, clock)
        profiles = ProfileLimits(settings.profile_rate_limit)
        self.staff = Staff(settings, keyring, database, self.vault, self.audit, clients.http, clock)
        self.gate = Gatekeeper(self.keys, limits, profiles, clock, self.staff, self.keys_used.mark)
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
        self.sdk = SdkIngest(self.ingest, self.door, self.tracking.tallies, settings.phone_region)
        self.upstreams = Upstreams(_urls(settings), clients.http, self.token)
        self.people = People(HotCopy(clients.redis, Breaker()), self.upstreams)
        self.erasure_store = ErasureStore(database)
        self.erasures = Erasures(self.erasure_store, self.upstreams, self.vault, clock)
        listening = Gauge(
            "zhiyin_gateway_listeners",
            "Who listens to live streams",
            ["stream"],
            registry=telemetry.registry,
        )
        self.listeners = Listeners(listening, Pace())
        self.log = clients.log
        self.probes = _probes(clients)
        self.room = Room(settings.body_room)
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


def _probes(clients: Clients) -> Mapping[str, Callable[[], Awaitable[Any]]]:
    """What is wrong when a server does not answer → a question to it."""
    redis: Any = clients.redis
    return {
        "PostgreSQL does not answer: nothing can be changed": lambda: (
            clients.database.pool.fetchval("SELECT 1")
        ),
        "Redis does not answer: reads are slower, and each gateway keeps to limits by itself": (
            redis.ping
        ),
        "the event log does not answer: events are refused": lambda: clients.log.ends(EVENTS),
    }


def _urls(settings: GatewaySettings) -> Mapping[str, tuple[str, ...]]:
    return {
        PROFILE: settings.service.profile_urls,
        SEGMENTATION: settings.service.segmentation_urls,
        ENGAGEMENT: settings.service.engagement_urls,
    }
