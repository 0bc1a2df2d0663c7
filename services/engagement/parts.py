"""The parts of one process, put together."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
from fastapi import APIRouter, Depends, FastAPI

from services.engagement.cashier import Cashier
from services.engagement.catalogs import Catalogs
from services.engagement.claims import Claims
from services.engagement.dating import DATE_TIMER
from services.engagement.deliverer import Deliverer
from services.engagement.domain.codes import coupon_code
from services.engagement.domain.links import LinkKey
from services.engagement.editor import Editor
from services.engagement.expiring import COUPON_TIMER, Expiring
from services.engagement.explaining import Explainer
from services.engagement.facing import facing_routes
from services.engagement.gateways import Gateways
from services.engagement.gather import Gatherer
from services.engagement.handover import Handover
from services.engagement.incoming import TOPICS
from services.engagement.launching import JOB_TIMER, Launching
from services.engagement.lookups import Lookups
from services.engagement.naming import GatewayNames
from services.engagement.pipeline import Pipeline
from services.engagement.playbooks import Playbooks
from services.engagement.previews import Previews
from services.engagement.reordering import REORDER_TIMER
from services.engagement.retention import data_classes
from services.engagement.routes.brands import own_campaigns_only
from services.engagement.routes.campaigns import campaign_routes
from services.engagement.routes.coupons import Counter, coupon_routes
from services.engagement.routes.experiments import experiment_routes
from services.engagement.routes.people import people_routes
from services.engagement.routes.playbooks import playbook_routes
from services.engagement.routes.settings import setting_routes
from services.engagement.routes.simulations import simulation_routes
from services.engagement.routes.visits import survey_routes
from services.engagement.run_timers import RUN_TIMER
from services.engagement.sealing import Sealer, derived_key
from services.engagement.senders.access_tokens import AccessTokens
from services.engagement.senders.addresses import Vault
from services.engagement.senders.all_kinds import senders
from services.engagement.senders.gateway_door import GatewayDoor
from services.engagement.senders.outbound import Outbound
from services.engagement.senders.parcel import Sender
from services.engagement.senders.places import Places
from services.engagement.settings import EngagementSettings
from services.engagement.settings_editor import SettingsEditor
from services.engagement.simulating import Simulating
from services.engagement.stock import STOCK_TIMER, StockAlerts, tell_savers
from services.engagement.store.parked import PARKED_TIMER
from services.engagement.taskboard import Taskboard
from services.engagement.telling import Teller
from services.engagement.ticking import TICK_TIMER, Ticking
from services.engagement.timing import Timing
from services.engagement.trials import Trials
from zhiyin.rules import Options
from zhiyin.runtime.clock import Clock, wall_clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.erasure_routes import erasure_routes
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.retention import Retention
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.web import service_app
from zhiyin.runtime.worker import Worker, WorkerOptions

SERVICE: Final = "engagement"


@dataclass(frozen=True, slots=True)
class Outside:
    """What one process is told and works with."""

    settings: EngagementSettings
    telemetry: Telemetry
    log: EventLog
    database: Database
    client: httpx.AsyncClient
    partitions: int
    clock: Clock = wall_clock

    @property
    def gateways(self) -> Gateways:
        token = internal_token(self.settings.service.secret_key)
        return Gateways(self.client, self.settings.gateway_urls, token)


@dataclass(frozen=True, slots=True)
class Engagement:
    """The parts of one process."""

    worker: Worker
    deliverer: Deliverer
    app: FastAPI


def sealer_of(settings: ServiceSettings) -> Sealer:
    return Sealer(derived_key(settings.secret_key, "channels"))


def compose(outside: Outside) -> Engagement:
    service = outside.settings.service
    options = Options(time_zone=service.timezone, currency=service.currency)
    sealer = sealer_of(service)
    catalogs = Catalogs(options, sealer)
    places = Places(service.webhook_allow)
    teller = Teller(outside.log)
    # The worker tells the deliverer, which asks the worker what is its own.
    handover = Handover(
        outside.database,
        _senders(outside, places, sealer),
        teller,
        outside.clock,
        outside.telemetry,
    )
    board = Taskboard(outside.database, teller, outside.clock)
    deliverer = Deliverer(outside.database, catalogs, handover, lambda: worker.owned, outside.clock)
    link_key = derived_key(service.secret_key, "links")
    base = outside.settings.public_url
    gatherer = Gatherer(
        catalogs,
        derived_key(service.secret_key, "coupons"),
        service.currency,
        None if base is None else LinkKey(base, link_key),
    )
    pipeline = Pipeline(
        catalogs, gatherer, outside.partitions, outside.clock, outside.telemetry, deliverer.wake
    )
    worker = _worker(outside, pipeline)
    app = service_app(
        service,
        outside.telemetry,
        database=outside.database,
        worker=worker,
        routers=[
            *_routes(outside, options, sealer, places, gatherer),
            *facing_routes(
                outside.database,
                catalogs,
                teller,
                GatewayDoor(outside.gateways),
                board,
                link_key,
                outside.clock,
            ),
        ],
        lifespan=_beside(
            deliverer,
            Retention(outside.database, data_classes(), service.retention, outside.clock),
            board,
            Simulating(outside.database),
        ),
        dependencies=[Depends(own_campaigns_only(outside.database))],
    )
    return Engagement(worker, deliverer, app)


def _senders(outside: Outside, places: Places, sealer: Sealer) -> Mapping[str, Sender]:
    vault = Vault(outside.gateways)
    tokens = AccessTokens(outside.database, sealer, outside.clock)
    return senders(outside.database, Outbound(outside.client, places), vault, tokens, outside.clock)


def _routes(
    outside: Outside, options: Options, sealer: Sealer, places: Places, gatherer: Gatherer
) -> Sequence[APIRouter]:
    database, clock, currency = outside.database, outside.clock, options.currency
    catalogs = gatherer.catalogs
    explainer = Explainer(database, gatherer, options, clock)
    service = outside.settings.service
    names = GatewayNames(outside.gateways)
    editor = Editor(database, options, outside.partitions, clock, names, outside.settings.approval)
    settings_editor = SettingsEditor(database, sealer, places, currency, clock)
    secret = derived_key(service.secret_key, "coupons")
    counter = Counter(
        settings_editor,
        Claims(database, lambda id_: coupon_code(secret, id_), currency, clock),
        Cashier(database, currency, clock),
        Lookups(database, clock),
    )
    return [
        campaign_routes(database, editor, explainer, catalogs, currency, clock),
        experiment_routes(database, settings_editor, catalogs, currency, clock),
        setting_routes(
            database, settings_editor, sealer, Previews(database, catalogs, currency, clock)
        ),
        survey_routes(database, settings_editor),
        playbook_routes(
            Playbooks(database, editor, clock), StockAlerts(database, outside.partitions, clock)
        ),
        simulation_routes(Trials(database, options, clock), currency),
        coupon_routes(database, counter, currency, clock),
        people_routes(database, currency, clock),
        erasure_routes(database),
    ]


def _worker(outside: Outside, pipeline: Pipeline) -> Worker:
    timing = Timing(pipeline)
    return Worker(
        SERVICE,
        list(TOPICS),
        outside.log,
        outside.database,
        pipeline.apply,
        {
            RUN_TIMER: timing.runs,
            REORDER_TIMER: timing.reorders,
            DATE_TIMER: timing.dates,
            PARKED_TIMER: timing.parked,
            JOB_TIMER: Launching(pipeline).jobs,
            STOCK_TIMER: tell_savers,
            COUPON_TIMER: Expiring(outside.settings.service.currency).coupons,
            TICK_TIMER: Ticking(pipeline).ticks,
        },
        outside.telemetry,
        options=WorkerOptions.of(outside.settings.service),
    )


def _beside(
    deliverer: Deliverer, *aside: Retention | Taskboard | Simulating
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        delivering = asyncio.create_task(deliverer.run())
        tasks = [asyncio.create_task(each.run()) for each in aside]
        yield
        for each in tasks:
            each.cancel()
        await deliverer.stop()
        await delivering
        await asyncio.gather(*tasks, return_exceptions=True)

    return lifespan
