"""Composition root: `python -m services.profile.main serve|migrate|rebuild`."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from services.profile.api import read_routes
from services.profile.catalogue import Catalogue
from services.profile.command_api import command_routes
from services.profile.commands import Commands
from services.profile.domain.identity_limits import Limits, LimitsError, limits_in
from services.profile.domain.policy import PLAIN, Policy
from services.profile.domain.reading import Reader
from services.profile.editor import Editor
from services.profile.erasure_api import erasure_routes
from services.profile.explain import Explaining
from services.profile.hearing import Hearing
from services.profile.hot_copies import HotCopies
from services.profile.internal_api import internal_routes
from services.profile.lexicon_api import lexicon_routes
from services.profile.merge_api import merge_routes
from services.profile.note_api import note_routes
from services.profile.passing_time import RETAG, PassingTime
from services.profile.pipeline import Pipeline
from services.profile.preview import Previewer
from services.profile.rebuild import Rebuild
from services.profile.rebuilding import asked_in, rebuild_people
from services.profile.replay_api import replay_routes
from services.profile.retention import data_classes
from services.profile.saving import TAGS_DUE, Saving
from services.profile.tag_rule_api import tag_rule_routes
from services.profile.tagging_api import tagging_routes
from zhiyin.contracts.topics import EVENTS, PROFILE_CHANGED
from zhiyin.rules import Options
from zhiyin.runtime.batch import Outgoing
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.command import run_command
from zhiyin.runtime.db import Database
from zhiyin.runtime.delays import Delays
from zhiyin.runtime.env import SettingsError
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
from zhiyin.wording import Model, load_model

SERVICE: Final = "profile"
MIGRATIONS: Final = Path(__file__).parent / "migrations"


def open_database(settings: ServiceSettings) -> Database:
    return Database(settings.postgres, SERVICE, role_of(SERVICE))


async def migrate_all(settings: ServiceSettings) -> int:
    await migrate(settings.postgres, SERVICE, MIGRATIONS)
    return 0


async def rebuild(settings: ServiceSettings, words: Sequence[str]) -> int:
    """Folds people anew, beside the workers, who publish what comes of it."""
    asked = asked_in(words)
    database = open_database(settings)
    log = open_log(settings)
    redis = connect(settings.redis)
    await database.open()
    await log.start()
    try:
        hot = HotCopies(redis, database)
        saving = Saving(await log.partitions(PROFILE_CHANGED), hot, Delays(), wall_clock)
        reader = reader_of(settings)
        catalogue = build_catalogue(settings)
        anew = Rebuild(reader, catalogue, saving, policy_of(settings), wall_clock)
        return await rebuild_people(anew, database, asked)
    finally:
        await log.stop()
        await redis.aclose()
        await database.close()


def options_of(settings: ServiceSettings) -> Options:
    return Options(time_zone=settings.timezone, currency=settings.currency)


def reader_of(settings: ServiceSettings) -> Reader:
    return Reader(settings.currency, ZoneInfo(settings.timezone))


def policy_of(settings: ServiceSettings) -> Policy:
    gifts = frozenset(settings.gift_categories)
    return Policy(settings.currency, settings.source_trust, gifts or PLAIN.gift_categories)


def limits_of(settings: ServiceSettings) -> Limits:
    """Raises SettingsError."""
    try:
        return limits_in(settings.identity_limits)
    except LimitsError as error:
        raise SettingsError(f"ZHIYIN_IDENTITY_LIMITS: {error}") from error


def read_settings(environ: Mapping[str, str]) -> ServiceSettings:
    """Raises SettingsError, also for what only this service reads."""
    settings = ServiceSettings.from_env(environ)
    limits_of(settings)
    return settings


def build_pipeline(
    settings: ServiceSettings, saving: Saving, catalogue: Catalogue, model: Model | None
) -> Pipeline:
    reader = reader_of(settings)
    hearing, policy, limits = Hearing(reader, model), policy_of(settings), limits_of(settings)
    return Pipeline(reader, hearing, catalogue, saving, policy, wall_clock, limits)


def build_catalogue(settings: ServiceSettings) -> Catalogue:
    return Catalogue(options_of(settings))


def build_worker(
    settings: ServiceSettings,
    log: EventLog,
    database: Database,
    hot: HotCopies,
    telemetry: Telemetry,
    partitions: int,
    model: Model | None = None,
) -> Worker:
    """`model` None: customers' words are made out by the lexicon alone."""
    catalogue = build_catalogue(settings)
    saving = Saving(partitions, hot, telemetry.delays, wall_clock)
    pipeline = build_pipeline(settings, saving, catalogue, model)
    passing = PassingTime(catalogue, saving, policy_of(settings))

    async def recover(outgoing: Sequence[Outgoing]) -> None:
        await hot.recover({one.message.key for one in outgoing})

    return Worker(
        SERVICE,
        EVENTS,
        log,
        database,
        pipeline.apply,
        {TAGS_DUE: passing.end, RETAG: passing.retag},
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
        await log.ensure_topics([*EVENTS, PROFILE_CHANGED], settings.partitions)
        hot = HotCopies(redis, database)
        partitions = await log.partitions(PROFILE_CHANGED)
        model = load_model()
        worker = build_worker(settings, log, database, hot, telemetry, partitions, model)
        app = build_app(settings, telemetry, database, worker, hot, log, model)
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
    log: EventLog,
    model: Model | None = None,
) -> FastAPI:
    """`worker` None: an app that only answers."""
    commands = Commands(log, wall_clock)
    editor = Editor(database, wall_clock)
    explaining = Explaining(database, options_of(settings), wall_clock)
    # What a preview does is rolled back: nothing of it is published or measured.
    aside = Saving(settings.partitions, hot, Delays(), wall_clock)
    pipeline = build_pipeline(settings, aside, build_catalogue(settings), model)
    preview = Previewer(database, pipeline, settings.currency, wall_clock)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        retention = Retention(database, data_classes(), settings.retention, wall_clock)
        beside = [asyncio.create_task(hot.run()), asyncio.create_task(retention.run())]
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
            merge_routes(database, commands, preview),
            command_routes(database, commands, wall_clock),
            note_routes(database, commands),
            read_routes(database, options_of(settings), wall_clock),
            tag_rule_routes(database, editor),
            tagging_routes(database, editor, explaining),
            lexicon_routes(database, Hearing(reader_of(settings), model), model),
            internal_routes(database, hot),
            replay_routes(
                database, reader_of(settings), build_catalogue(settings), policy_of(settings)
            ),
            erasure_routes(database, commands, hot, wall_clock),
        ],
        lifespan=lifespan,
    )


def main(arguments: Sequence[str]) -> int:
    commands = {
        "serve": serve,
        "migrate": migrate_all,
        "rebuild": lambda settings: rebuild(settings, arguments[1:]),
    }
    return run_command(SERVICE, arguments, commands, read_settings, reading_on=["rebuild"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
