"""Composition root: `python -m services.gateway.main serve|migrate|keys`."""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
import msgspec
import uvloop

from services.gateway.app import Clients, Gateway, gateway_app
from services.gateway.routes.keys import KeySpec, make_key
from services.gateway.settings import GatewaySettings
from services.gateway.stores.audit import AuditTrail
from services.gateway.stores.keys import KeyStore
from zhiyin.contracts.instants import instant, moment
from zhiyin.contracts.topics import EVENTS
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import http_client
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.logs import configure_logs
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.redis import connect
from zhiyin.runtime.serve import run_service
from zhiyin.runtime.settings import ServiceSettings, SettingsError, environment
from zhiyin.runtime.telemetry import Telemetry

SERVICE: Final = "gateway"
MIGRATIONS: Final = Path(__file__).parent / "migrations"
# Reads fall back to PostgreSQL: waiting longer for Redis than that takes would be no gain.
_REDIS_SECONDS: Final = 0.1
_SWEEP_SECONDS: Final = 600.0


def database_of(settings: ServiceSettings) -> Database:
    return Database(settings.postgres, SERVICE, role_of(SERVICE), command_timeout=10.0)


@asynccontextmanager
async def clients_of(settings: ServiceSettings) -> AsyncIterator[Clients]:
    """Everything the gateway talks to, open; closed at the end."""
    database = database_of(settings)
    redis = connect(settings.redis, timeout=_REDIS_SECONDS)
    log = open_log(settings)
    http = http_client(timeout=15.0)
    await database.open()
    try:
        await log.start()
        await log.ensure_topics(EVENTS, settings.partitions)
        yield Clients(database, redis, log, http)
    finally:
        await http.aclose()
        await log.stop()
        await redis.aclose()
        await database.close()


async def serve(settings: GatewaySettings) -> int:
    """Until SIGTERM. Several processes may share the port."""
    shared = settings.service
    configure_logs(SERVICE, shared.instance, shared.log_level)
    telemetry = Telemetry(
        SERVICE,
        shared.instance,
        otlp_endpoint=shared.otlp_endpoint,
        trace_ratio=shared.trace_ratio,
    )
    async with clients_of(shared) as clients:
        gateway = Gateway(settings, clients, telemetry, wall_clock)
        background = [
            asyncio.create_task(gateway.presence.run()),
            asyncio.create_task(_forget_answers(gateway)),
        ]
        try:
            return await run_service(gateway_app(gateway), None, shared, reuse_port=True)
        finally:
            for task in background:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            telemetry.shutdown()


async def _forget_answers(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        try:
            await gateway.idempotency.forget_old()
        except Exception as error:
            if not is_outage(error):
                raise


async def create_key(settings: ServiceSettings, spec: KeySpec) -> bytes:
    """The new key as JSON. Raises Problem for scopes that do not exist."""
    database = database_of(settings)
    await database.open()
    try:
        audit = AuditTrail(database, wall_clock)
        made = await make_key(KeyStore(database), audit, spec, "cli", moment(wall_clock()))
    finally:
        await database.close()
    return msgspec.json.encode(made)


def _spec(arguments: argparse.Namespace) -> KeySpec:
    scopes = [scope.strip() for scope in arguments.scopes.split(",") if scope.strip()]
    return KeySpec(scopes, arguments.role, arguments.name, arguments.expires)


def _expiry(text: str) -> datetime:
    at = msgspec.convert(text, datetime)
    instant(at)
    return at


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="services.gateway.main", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run until SIGTERM")
    commands.add_parser("migrate", help="bring the gateway's tables up to date")
    keys = commands.add_parser("keys", help="make API keys").add_subparsers(required=True)
    create = keys.add_parser("create", help="make a key and print it as JSON, this once")
    create.add_argument("--scopes", default="", help="comma separated; may be left out with a role")
    create.add_argument("--role", help="a named set of scopes")
    create.add_argument("--name", default="", help="what it is for")
    create.add_argument("--expires", type=_expiry, help="RFC 3339 time with offset")
    return parser.parse_args(argv)


async def run(arguments: argparse.Namespace) -> int:
    settings = GatewaySettings.from_env(environment())
    if arguments.command == "serve":
        return await serve(settings)
    if arguments.command == "migrate":
        await migrate(settings.service.postgres, SERVICE, MIGRATIONS)
        return 0
    made = await create_key(settings.service, _spec(arguments))
    sys.stdout.write(made.decode() + "\n")
    return 0


def main(argv: Sequence[str]) -> int:
    arguments = _arguments(argv)
    try:
        return uvloop.run(run(arguments))
    except (SettingsError, Problem) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except asyncpg.UndefinedTableError:
        sys.stderr.write("error: the tables are missing; run the migrate command first\n")
        return 1
    except Exception as error:
        if not is_outage(error):
            raise
        sys.stderr.write(f"error: PostgreSQL or the event log does not answer: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
