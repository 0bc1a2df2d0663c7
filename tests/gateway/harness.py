"""The gateway on real PostgreSQL, event log and Valkey; the services behind it are small stubs."""

import itertools
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from fastapi import FastAPI, Request
from starlette.responses import Response

from services.gateway.accounts import OperatorSpec
from services.gateway.app import gateway_app
from services.gateway.key_making import KeySpec, make_key
from services.gateway.main import database_of
from services.gateway.parts import Clients, Gateway
from services.gateway.settings import GatewaySettings
from zhiyin.contracts.events import Event, decode_event
from zhiyin.contracts.exports import ExportPage
from zhiyin.contracts.instants import moment
from zhiyin.contracts.profiles import Snapshot, encode
from zhiyin.contracts.topics import EVENTS, TOPIC_NAMES
from zhiyin.runtime.clock import Clock, wall_clock
from zhiyin.runtime.http import http_client, internal_token
from zhiyin.runtime.log import EventLog, LogUnavailable, Message, Partition, Position, Record
from zhiyin.runtime.log.postgres import PostgresLog
from zhiyin.runtime.redis import connect
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry

SECRET = "a secret of the tests, long enough"
PARTITIONS = 4
_numbers = itertools.count(1)


def settings_for(postgres: str, redis: str) -> GatewaySettings:
    return GatewaySettings(
        totp_required=False,
        service=ServiceSettings(
            postgres=postgres,
            redis=redis,
            secret_key=SECRET,
            partitions=PARTITIONS,
            profile_urls=("http://profile-away", "http://profile"),
            segmentation_urls=("http://segmentation",),
            engagement_urls=("http://engagement",),
        ),
    )


@dataclass
class Behind:
    """The services behind the gateway, and what they were asked."""

    people: dict[str, Snapshot] = field(default_factory=dict)
    identifiers: dict[str, str] = field(default_factory=dict)
    segments: dict[str, list[str]] = field(default_factory=dict)
    behind: bool = False
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    answer: tuple[int, Any] = (200, {"done": True})

    def transport(self) -> httpx.MockTransport | httpx.ASGITransport:
        return httpx.ASGITransport(app=self._app())

    def _app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/internal/profiles/by/{namespace}/{value}")
        async def by(namespace: str, value: str) -> Response:
            return self._person(self.identifiers.get(f"{namespace}:{value}", ""))

        @app.get("/internal/profiles/{profile_id}")
        async def person(profile_id: str) -> Response:
            return self._person(profile_id)

        @app.get("/internal/segments/{profile_id}")
        async def segments(profile_id: str) -> dict[str, Any]:
            found = self.people.get(profile_id)
            version = found.version if found else 0
            return {"segments": self.segments.get(profile_id, []), "profile_version": version}

        @app.get("/internal/segments/{key}/people")
        async def members(key: str) -> Response:
            page = msgspec.msgpack.encode(ExportPage([], None))
            return Response(page, media_type="application/msgpack")

        @app.get("/internal/applied")
        async def applied() -> Response:
            status = 504 if self.behind else 200
            return Response(status_code=status, media_type="application/problem+json")

        @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
        async def anything(request: Request) -> Response:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            given = (request.method, target, dict(request.headers), await request.body())
            self.asked.append(given)
            status, document = self.answer
            return Response(msgspec.json.encode(document), status, media_type="application/json")

        return app

    def _person(self, profile_id: str) -> Response:
        found = self.people.get(profile_id)
        if found is None:
            return Response(status_code=404)
        return Response(encode(found), media_type="application/msgpack")


class AwayTransport(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)


class AwayLog(PostgresLog):
    """A log that confirms nothing, as with the broker away."""

    async def append(self, messages: Iterable[Message]) -> list[Position]:
        raise LogUnavailable("away")


@dataclass
class Running:
    """A gateway, a client of it, and keys for the client to use."""

    gateway: Gateway
    client: httpx.AsyncClient
    log: EventLog
    behind: Behind

    async def key(self, *scopes: str) -> dict[str, str]:
        """Headers of a new key with these scopes."""
        spec = KeySpec(list(scopes))
        now = moment(wall_clock())
        made = await make_key(self.gateway.keys, self.gateway.audit, spec, "test", now)
        return {"authorization": f"Bearer {made.key}"}

    async def operator(self, role: str, *brands: str) -> dict[str, str]:
        """Headers of somebody who has just signed in."""
        email = f"o{next(_numbers)}-{secrets.token_hex(4)}@example.com"
        spec = OperatorSpec(email, "林悦", role, list(brands) or None)
        made = await self.gateway.staff.accounts.create(spec, "test", must_change=False)
        opened = await self.gateway.staff.sessions.open(made.id, "password", "unknown")
        return {"authorization": f"Bearer {opened.access_token}"}

    async def logged(self) -> list[Record]:
        """Everything on the events topics, oldest first per partition."""
        ends = await self.log.ends(EVENTS)
        consumer = self.log.consumer("test", EVENTS)
        found = []
        for partition, end in ends.items():
            for offset in range(end):
                record = await consumer.read_one(Partition(*partition), offset)
                assert record is not None
                found.append(record)
        return found

    async def events(self, member_id: str) -> list[Event]:
        decoded = [decode_event(record.value) for record in await self.logged()]
        return [event for event in decoded if event.customer.get("member_id") == member_id]


@asynccontextmanager
async def running(
    settings: GatewaySettings,
    *,
    log_type: type[PostgresLog] = PostgresLog,
    stubbed: bool = True,
    clock: Clock = wall_clock,
) -> AsyncIterator[Running]:
    """`stubbed`: `Behind` answers for the services; otherwise their addresses do."""
    behind = Behind()
    database = database_of(settings.service)
    redis = connect(settings.service.redis, timeout=0.5)
    log = log_type(settings.service.postgres)
    away = {"http://profile-away": AwayTransport()}
    stubs = httpx.AsyncClient(transport=behind.transport(), mounts=away)
    http = stubs if stubbed else http_client()
    telemetry = Telemetry("gateway", "test-1")
    await database.open()
    await log.start()
    await log.ensure_topics(TOPIC_NAMES, PARTITIONS)
    try:
        gateway = Gateway(settings, Clients(database, redis, log, http), telemetry, clock)
        gateway.listeners.close()  # this transport gives an answer when it has ended
        transport = httpx.ASGITransport(app=gateway_app(gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield Running(gateway, client, log, behind)
    finally:
        await http.aclose()
        await log.stop()
        await redis.aclose()
        await database.close()


def internal_headers() -> dict[str, str]:
    return {"x-zhiyin-internal": internal_token(SECRET)}


def environment(settings: GatewaySettings) -> dict[str, str]:
    return {
        "ZHIYIN_POSTGRES": settings.service.postgres,
        "ZHIYIN_REDIS": settings.service.redis,
        "ZHIYIN_SECRET_KEY": SECRET,
    }
