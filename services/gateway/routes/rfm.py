"""RFM over the population: answered by the segmentation service."""

from typing import Any, Final

from services.gateway.calls import PAGE, Call, Query
from services.gateway.domain.scopes import SEGMENTS_READ, SEGMENTS_WRITE
from services.gateway.upstreams import SEGMENTATION
from zhiyin.contracts.rfm import (
    CutVersion,
    RfmGrid,
    RfmUpdate,
    RfmView,
    ScenarioLabels,
    ScenarioSpec,
)
from zhiyin.runtime.web import Page

_MINUTES: Final = 300.0
_BY: Final = Query(
    "by", "which cut points", {"type": "string", "enum": ["fixed", "quintiles"], "default": "fixed"}
)


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    scope = SEGMENTS_READ if method == "GET" else SEGMENTS_WRITE
    return Call(
        method=method,
        path=f"/v1/rfm{path}",
        name=f"rfm.{name}",
        summary=summary,
        tag="segments",
        service=SEGMENTATION,
        **{"scope": scope, **more},
    )


CALLS: Final = (
    _call("GET", "", "show", "Fixed thresholds, and the newest cut points by quintile",
          answer=RfmView),
    _call("PUT", "", "update", "How often cut points are taken from the population",
          body=RfmUpdate, example={"every": "7d"}, answer=RfmView),
    _call("POST", "/refresh", "refresh", "Take cut points from the population now",
          answer=RfmView, timeout=_MINUTES),
    _call("GET", "/versions", "versions", "All cut points taken, newest first",
          answer=Page[CutVersion], query=PAGE),
    _call("GET", "/grid", "grid", "How many people have each of the 125 scores",
          answer=RfmGrid, query=(_BY,), timeout=_MINUTES),
    _call("POST", "/scenarios", "scenarios", "RFM classes crossed with scenario segments",
          body=ScenarioSpec, example={"segments": ["open-complaint"]}, answer=ScenarioLabels,
          scope=SEGMENTS_READ, changes=False, timeout=60.0),
)  # fmt: skip
