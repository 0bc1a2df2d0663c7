"""Campaigns and segments tried on stored history."""

from typing import Any, Final

from services.gateway.calls import LIMIT, Call, Query
from services.gateway.domain.scopes import CAMPAIGNS_READ, CAMPAIGNS_WRITE, SEGMENTS_READ
from services.gateway.upstreams import ENGAGEMENT
from zhiyin.contracts.simulations import SimulateSegmentSpec, SimulateSpec

_SPAN: Final = {"from": "2026-01-01T00:00:00+08:00", "to": "2026-07-01T00:00:00+08:00"}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    return Call(
        method=method,
        path=f"/v1/{path}",
        name=name,
        summary=summary,
        tag="simulations",
        service=ENGAGEMENT,
        **more,
    )


CALLS: Final = (
    _call(
        "POST", "campaigns/{key}/simulate", "campaigns.simulate",
        "Try it on history: who would have entered, what would have been sent and held back",
        scope=CAMPAIGNS_WRITE, body=SimulateSpec, status=202, creates=True,
        example={**_SPAN, "alongside": "live"},
    ),
    _call(
        "POST", "segments/simulate", "segments.simulate",
        "Try a rule on history: who would have entered and left when",
        scope=SEGMENTS_READ, body=SimulateSegmentSpec, status=202, creates=True,
        example={**_SPAN, "text": "orders.count >= 3"},
    ),
    _call(
        "GET", "campaigns/{key}/simulations/{simulation_id}", "campaigns.simulation",
        "How far a trial of a campaign is, then what came of it",
        scope=CAMPAIGNS_READ,
    ),
    _call(
        "GET", "simulations", "simulations.list", "The newest trials",
        scope=CAMPAIGNS_READ, query=(Query("campaign", "only trials of this one"), LIMIT),
    ),
    _call(
        "GET", "simulations/{simulation_id}", "simulations.show",
        "How far a trial is, then what came of it",
        scope=CAMPAIGNS_READ, or_scope=SEGMENTS_READ,
    ),
    _call(
        "DELETE", "simulations/{simulation_id}", "simulations.cancel", "Call a trial off",
        scope=CAMPAIGNS_WRITE, or_scope=SEGMENTS_READ,
    ),
)  # fmt: skip
