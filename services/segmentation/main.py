"""Composition root: `python -m services.segmentation.main serve|migrate`."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from services.segmentation.api import definition_routes, member_routes
from services.segmentation.backfill import BACKFILL, Backfill
from services.segmentation.catalogue import Catalogue
from services.segmentation.counting_api import counting_routes
from services.segmentation.editor import Editor
from services.segmentation.export import export_routes
from services.segmentation.fact_catalogue import FactCatalogues
from services.segmentation.grid import Grids
from services.segmentation.hot_copies import HotCopies
from services.segmentation.keeping import keep_moves_hourly, keep_moves_now
from services.segmentation.pipeline import Pipeline
from services.segmentation.preview import Previews
from services.segmentation.profile_api import profile_routes
from services.segmentation.quintiles import Quintiles
from services.segmentation.retention import data_classes
from services.segmentation.rfm_api import rfm_routes
from services.segmentation.rule_api import rule_routes
from services.segmentation.saving import FLIP, Saving
from services.segmentation.segment_library import library_routes
from zhiyin.contracts.topics import PROFILE_CHANGED, SEGMENT_CHANGED
from zhiyin.rules import Options
from zhiyin.runtime.batch import Outgoing
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.command import run_command
from zhiyin.runtime.db import Database
from zhiyin.runtime.erasure_routes import erasure_routes
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.redis import connect
from zhiyin.runtime.retention import Retention
from zhiyin.runtime.serve import run_service
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.web import service_app
from zhiyin.runtime.worker import Worker, WorkerOptions

SERVICE: Final = "segmentation"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def open_database(settings: ServiceSettings) -> Database:
    return Database(settings.postgres, SERVICE, role_of(SERVICE))


def rule_options(settings: ServiceSettings) -> Options:
    return Options(time_zone=settings.timezone, currency=settings.currency)


async def migrate_all(settings: ServiceSettings) -> int:
    """Tables, then the built-in segments that are missing."""
    await migrate(settings.postgres, SERVICE, MIGRATIONS)
    database = open_database(settings)
    await database.open()
    try:
        await keep_moves_now(database)
        await Editor(database, range(settings.partitions)).install_built_in()
    finally:
        await database.close()
    return 0


def build_worker(
    settings: ServiceSettings,
    log: EventLog,
    database: Database,
    hot: HotCopies,
    telemetry: Telemetry,
) -> Worker:
    catalogue = Catalogue(rule_options(settings))
    saving = Saving(ZoneInfo(settings.timezone), hot, telemetry.delays, wall_clock)
    pipeline = Pipeline(catalogue, saving)

    async def recover(outgoing: Sequence[Outgoing]) -> None:
        await hot.recover({one.message.key for one in outgoing})

    return Worker(
        SERVICE,
        [PROFILE_CHANGED],
        log,
        database,
        pipeline.apply,
        {FLIP: pipeline.flip, BACKFILL: Backfill(catalogue, saving).walk},
        telemetry,
        options=WorkerOptions.of(settings),
        recover=recover,
    )


async def serve(settings: ServiceSettings) -> int:
    telemetry = Telemetry(
        SERVICE,
        settings.instance,
        otlp_endpoint=settings.otlp_endpoint,
        trace_ratio=settings.trace_ratio,
    )
    database = open_database(settings)
    log = open_log(settings)
    redis = connect(settings.redis)
    await database.open()
    await log.start()
    try:
        await log.ensure_topics([PROFILE_CHANGED, SEGMENT_CHANGED], settings.partitions)
        await keep_moves_now(database)
        partitions = range(await log.partitions(PROFILE_CHANGED))
        hot = HotCopies(redis, database)
        worker = build_worker(settings, log, database, hot, telemetry)
        app = build_app(settings, telemetry, database, worker, hot, partitions)
        return await run_service(app, worker, settings)
    finally:
        await log.stop()
        await redis.aclose()
        await database.close()
        telemetry.shutdown()


def build_app(
    settings: ServiceSettings,
    telemetry: Telemetry,
    database: Database,
    worker: Worker | None,
    hot: HotCopies,
    partitions: Sequence[int],
) -> FastAPI:
    """`worker` None: an app that only answers."""
    options = rule_options(settings)
    editor = Editor(database, partitions)
    quintiles = Quintiles(database, editor, settings.currency)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        beside = [
            asyncio.create_task(hot.run()),
            asyncio.create_task(keep_moves_hourly(database)),
            asyncio.create_task(quintiles.run()),
            asyncio.create_task(
                Retention(database, data_classes(), settings.retention, wall_clock).run()
            ),
        ]
        yield
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)

    return service_app(
        settings,
        telemetry,
        database=database,
        worker=worker,
        routers=[
            definition_routes(database, editor),
            library_routes(database, editor),
            counting_routes(database, Previews(database, options)),
            rfm_routes(database, Grids(database, options.rfm), quintiles, options),
            member_routes(database, options),
            export_routes(database, options),
            profile_routes(database, hot),
            erasure_routes(database),
            rule_routes(database, options, FactCatalogues(database, options, wall_clock)),
        ],
        lifespan=lifespan,
    )


def main(arguments: Sequence[str]) -> int:
    commands = {"serve": serve, "migrate": migrate_all}
    return run_command(SERVICE, arguments, commands, ServiceSettings.from_env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
