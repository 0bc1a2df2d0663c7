"""The calls of engagement as the gateway makes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from services.engagement.parts import Outside, compose
from services.engagement.settings import EngagementSettings
from tests.engagement.harness import PARTITIONS, SECRET, Instance
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.settings import ServiceSettings


@asynccontextmanager
async def calling(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    service = ServiceSettings(postgres=instance.db.dsn, redis="", secret_key=SECRET)
    settings = EngagementSettings(service=service)
    log = open_log(service)
    log.append = instance.told.append  # type: ignore[method-assign, assignment]
    parts = compose(
        Outside(
            settings,
            instance.telemetry,
            log,
            instance.db,
            instance.client,
            PARTITIONS,
            instance.clock,
        )
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(parts.app, raise_app_exceptions=False),
        base_url="http://engagement",
        headers={"x-zhiyin-internal": internal_token(SECRET), "x-zhiyin-actor": "key:ops"},
    ) as client:
        yield client
