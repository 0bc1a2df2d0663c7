"""Composition root: `python -m services.gateway.main serve|migrate|keys|operators|audit`."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from services.gateway.app import gateway_app
from services.gateway.audit_command import verify_audit
from services.gateway.key_command import create_key
from services.gateway.operator_command import create_operator
from services.gateway.parts import Clients, Gateway
from services.gateway.settings import GatewaySettings
from zhiyin.contracts.topics import TOPIC_NAMES
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.command import run_command
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import http_client
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.redis import connect
from zhiyin.runtime.serve import run_service
from zhiyin.runtime.settings import ServiceSettings
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
        await log.ensure_topics(TOPIC_NAMES, settings.partitions)
        yield Clients(database, redis, log, http)
    finally:
        await http.aclose()
        await log.stop()
        await redis.aclose()
        await database.close()


async def serve(settings: GatewaySettings) -> int:
    """Until SIGTERM. Several processes may share the port."""
    shared = settings.service
    telemetry = Telemetry(
        SERVICE,
        shared.instance,
        otlp_endpoint=shared.otlp_endpoint,
        trace_ratio=shared.trace_ratio,
    )
    async with clients_of(shared) as clients:
        gateway = Gateway(settings, clients, telemetry, wall_clock)
        await gateway.rotation.begin()
        background = [
            asyncio.create_task(gateway.presence.run()),
            asyncio.create_task(gateway.erasures.run()),
            asyncio.create_task(gateway.rotation.run()),
            asyncio.create_task(gateway.tracking.run()),
            asyncio.create_task(gateway.keys_used.run()),
            asyncio.create_task(gateway.staff.used.run()),
            asyncio.create_task(_forget_old(gateway)),
        ]
        try:
            return await run_service(
                gateway_app(gateway),
                None,
                shared,
                reuse_port=True,
                before_stop=gateway.listeners.close,
            )
        finally:
            for task in background:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            telemetry.shutdown()


async def _forget_old(gateway: Gateway) -> None:
    while True:
        await asyncio.sleep(_SWEEP_SECONDS)
        now = wall_clock()
        try:
            await gateway.idempotency.forget_old()
            await gateway.staff.session_store.forget_old(now)
            await gateway.staff.attempts.forget_old(now)
        except Exception as error:
            if not is_outage(error):
                raise


async def migrate_all(settings: GatewaySettings) -> int:
    await migrate(settings.service.postgres, SERVICE, MIGRATIONS)
    return 0


def main(arguments: Sequence[str]) -> int:
    async def keys(settings: GatewaySettings) -> int:
        return await create_key(database_of(settings.service), arguments[1:], wall_clock)

    async def operators(settings: GatewaySettings) -> int:
        return await create_operator(
            settings, database_of(settings.service), arguments[1:], wall_clock
        )

    async def audit(settings: GatewaySettings) -> int:
        return await verify_audit(database_of(settings.service), arguments[1:], wall_clock)

    reading = {"keys": keys, "operators": operators, "audit": audit}
    commands = {"serve": serve, "migrate": migrate_all, **reading}
    return run_command(SERVICE, arguments, commands, GatewaySettings.from_env, reading_on=reading)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
