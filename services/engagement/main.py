"""Composition root: `python -m services.engagement.main serve|migrate`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.engagement.catalogs import Catalogs
from services.engagement.gateways import Gateways
from services.engagement.history import ToldHistory
from services.engagement.incoming import TOPICS
from services.engagement.parts import SERVICE, Outside, compose, sealer_of
from services.engagement.seeding import seed
from services.engagement.settings import EngagementSettings
from services.engagement.simulator import Simulator
from zhiyin.contracts.topics import ACTION_DECIDED, EVENTS
from zhiyin.rules import Options
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.command import run_command
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import http_client, internal_token
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.serve import run_service
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry

MIGRATIONS: Final = Path(__file__).parent / "migrations"


def open_database(settings: ServiceSettings) -> Database:
    return Database(settings.postgres, SERVICE, role_of(SERVICE))


async def migrate_all(settings: EngagementSettings) -> int:
    """Tables, then what is built in."""
    await migrate(settings.service.postgres, SERVICE, MIGRATIONS)
    database = open_database(settings.service)
    await database.open()
    try:
        await seed(database, sealer_of(settings.service), wall_clock())
    finally:
        await database.close()
    return 0


async def serve(settings: EngagementSettings) -> int:
    service = settings.service
    telemetry = Telemetry(
        SERVICE,
        service.instance,
        otlp_endpoint=service.otlp_endpoint,
        trace_ratio=service.trace_ratio,
    )
    database = open_database(service)
    log = open_log(service)
    # Each channel bounds its own: a common limit would be used up by a destination that hangs.
    client = http_client(connections=None)
    await database.open()
    await log.start()
    try:
        topics = [*TOPICS, ACTION_DECIDED, *EVENTS]
        await log.ensure_topics(topics, service.partitions)
        partitions = await log.partitions(TOPICS[0])
        parts = compose(Outside(settings, telemetry, log, database, client, partitions))
        return await run_service(parts.app, parts.worker, service)
    finally:
        await client.aclose()
        await log.stop()
        await database.close()
        telemetry.shutdown()


async def simulate(settings: EngagementSettings) -> int:
    """Works on trials until none is waiting; nobody's patience depends on it."""
    os.nice(10)
    service = settings.service
    database = open_database(service)
    options = Options(time_zone=service.timezone, currency=service.currency)
    await database.open()
    try:
        async with http_client() as client:
            token = internal_token(service.secret_key)
            history = ToldHistory(Gateways(client, settings.gateway_urls, token))
            catalogs = Catalogs(options, sealer_of(service))
            simulator = Simulator(database, catalogs, options, history, wall_clock)
            while await simulator.run_next():
                pass
    finally:
        await database.close()
    return 0


def main(arguments: Sequence[str]) -> int:
    commands = {"serve": serve, "migrate": migrate_all, "simulate": simulate}
    return run_command(SERVICE, arguments, commands, EngagementSettings.from_env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
