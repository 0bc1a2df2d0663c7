"""Trials on history: ask for one, see how far it is and what came of it, call it off."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.engagement.refusals import no_such
from services.engagement.routes.brands import Brands, within
from services.engagement.routes.parts import Actor, Key
from services.engagement.simulation_views import simulation_view
from services.engagement.store.simulations import Simulation
from services.engagement.trials import Trials
from zhiyin.contracts.simulations import SimulateSegmentSpec, SimulateSpec
from zhiyin.runtime.web import Limit, body, json

_NOBODY: Final = "unknown"


def simulation_routes(trials: Trials, currency: str) -> APIRouter:
    router = APIRouter()
    router.include_router(_asking_routes(trials, currency))

    async def own(simulation_id: str, brands: frozenset[str] | None) -> Simulation:
        """Another brand's is not there. Raises Problem (404)."""
        found = await trials.find(simulation_id)
        if not _visible(found, brands):
            raise no_such("simulation", simulation_id)
        return found

    @router.get("/v1/campaigns/{key}/simulations/{simulation_id}")
    async def of_campaign(key: Key, simulation_id: str, brands: Brands) -> Response:
        found = await own(simulation_id, brands)
        if found.subject != key:
            raise no_such("simulation", simulation_id)
        return json(simulation_view(found, currency, brands))

    @router.get("/v1/simulations")
    async def newest(
        brands: Brands,
        campaign: Annotated[str | None, Query(max_length=200)] = None,
        limit: Limit = 20,
    ) -> Response:
        found = [one for one in await trials.newest(campaign, limit) if _visible(one, brands)]
        return json({"items": [simulation_view(each, currency, brands) for each in found]})

    @router.get("/v1/simulations/{simulation_id}")
    async def show(simulation_id: str, brands: Brands) -> Response:
        return json(simulation_view(await own(simulation_id, brands), currency, brands))

    @router.delete("/v1/simulations/{simulation_id}")
    async def cancel(simulation_id: str, brands: Brands) -> Response:
        await own(simulation_id, brands)
        return json(simulation_view(await trials.cancel(simulation_id), currency, brands))

    return router


def _visible(found: Simulation, brands: frozenset[str] | None) -> bool:
    return found.asked.campaign is None or within(found.asked.campaign, brands)


def _asking_routes(trials: Trials, currency: str) -> APIRouter:
    router = APIRouter()

    def accepted(found: Simulation, place: str) -> Response:
        answer = json(simulation_view(found, currency), 202)
        answer.headers["location"] = f"{place}/{found.id}"
        return answer

    @router.post("/v1/campaigns/{key}/simulate")
    async def campaign(key: Key, request: Request, actor: Actor = _NOBODY) -> Response:
        spec = body(SimulateSpec, await request.body())
        found = await trials.of_campaign(key, spec, actor)
        return accepted(found, f"/v1/campaigns/{key}/simulations")

    @router.post("/v1/segments/simulate")
    async def segment(request: Request, actor: Actor = _NOBODY) -> Response:
        spec = body(SimulateSegmentSpec, await request.body())
        return accepted(await trials.of_segment(spec, actor), "/v1/simulations")

    return router
