"""How the platform is doing: every instance asked, the answers put together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import Admits, Call, asking_of
from services.gateway.domain.health import SystemState, Told, Unreachable, system_state
from services.gateway.domain.scopes import OPS_READ
from services.gateway.people import Asking
from services.gateway.upstreams import ENGAGEMENT, PROFILE, SEGMENTATION, Answer, Asked
from zhiyin.contracts.instants import rfc3339
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.delays import quantile
from zhiyin.runtime.log import LogUnavailable
from zhiyin.runtime.outages import OUTAGES
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.redis import RedisFailure
from zhiyin.runtime.web import json

_SERVICES: Final = (PROFILE, SEGMENTATION, ENGAGEMENT)
_TIMEOUT: Final = 2.0
_PROBE_SECONDS: Final = 1.0
_AWAY: Final[tuple[type[BaseException], ...]] = (*OUTAGES, *RedisFailure, LogUnavailable)

SHOW: Final = Call(
    method="GET",
    path="/v1/system",
    scope=OPS_READ,
    service="gateway",
    name="system.show",
    summary="Instances, lag, delays, and in words what is wrong",
    tag="operations",
    answer=SystemState,
)


Probe = Callable[[], Awaitable[Any]]


class Instances(Protocol):
    def urls(self, service: str) -> Any: ...

    async def ask_instance(self, url: str, asked: Asked) -> Answer: ...


class SystemRoutes:
    """`gateways` tells of the gateways that are up, this one too; `probes`: what is said when a
    server does not answer → a question to it; `partitions`: how many each service has to hold."""

    def __init__(
        self,
        gate: Admits,
        upstreams: Instances,
        gateways: Callable[[], Awaitable[list[Told]]],
        probes: Mapping[str, Probe],
        partitions: int,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._upstreams = upstreams
        self._gateways = gateways
        self._probes = probes
        self._partitions = partitions
        self._clock = clock

    async def show(self, request: Request) -> Response:
        caller = await self._gate.admit(request, OPS_READ)
        return json(await self.state(asking_of(request, caller)))

    async def state(self, asking: Asking) -> SystemState:
        """Every instance asked."""
        calls = [
            self._ask(service, url, asking)
            for service in _SERVICES
            for url in self._upstreams.urls(service)
        ]
        answers = [*await self._gateways(), *await asyncio.gather(*calls)]
        now = rfc3339(self._clock())
        return system_state(answers, _SERVICES, await self._away(), self._partitions, now, quantile)

    async def _away(self) -> list[str]:
        """What is said of the servers that do not answer."""

        async def silent(probe: Probe) -> bool:
            try:
                async with asyncio.timeout(_PROBE_SECONDS):
                    await probe()
            except _AWAY:
                return True
            return False

        found = await asyncio.gather(*(silent(probe) for probe in self._probes.values()))
        return [said for said, gone in zip(self._probes, found, strict=True) if gone]

    async def _ask(self, service: str, url: str, asking: Asking) -> Told | Unreachable:
        asked = Asked("GET", "/internal/system", asking.actor, asking.traceparent, timeout=_TIMEOUT)
        try:
            answer = await self._upstreams.ask_instance(url, asked)
            return msgspec.json.decode(answer.body, type=Told)
        except httpx.TransportError as error:
            return Unreachable(service, url, type(error).__name__)
        except (Problem, msgspec.DecodeError):
            return Unreachable(service, url, "it answers with an error")
