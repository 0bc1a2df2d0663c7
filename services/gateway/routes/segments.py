"""Segments: defined, previewed, listed and explained by the segmentation service."""

from typing import Any, Final

from services.gateway.calls import PAGE, Call
from services.gateway.domain.scopes import SEGMENTS_READ, SEGMENTS_WRITE
from services.gateway.upstreams import SEGMENTATION
from zhiyin.contracts.segments import (
    Overlap,
    OverlapSpec,
    Preview,
    PreviewSpec,
    SegmentExplanation,
    SegmentHistory,
    SegmentMember,
    SegmentSpec,
    SegmentUpdate,
    SegmentView,
)
from zhiyin.runtime.web import Page

_TAG: Final = "segments"
_RULE: Final = {"last": {"event": "purchase.completed"}, "older_than": "90d"}
_SPEC: Final = {"key": "dormant-90d-big", "name": "沉睡大客户", "rule": _RULE}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    scope = SEGMENTS_READ if method == "GET" else SEGMENTS_WRITE
    return Call(
        method=method,
        path=f"/v1/segments{path}",
        name=f"segments.{name}",
        summary=summary,
        tag=_TAG,
        service=SEGMENTATION,
        **{"scope": scope, **more},
    )


CALLS: Final = (
    _call("GET", "", "list", "All segments", answer=Page[SegmentView]),
    _call(
        "POST", "", "create", "Define a segment; everybody is sorted into it at once",
        body=SegmentSpec, example=_SPEC, answer=SegmentView, status=201, creates=True,
    ),
    _call(
        "POST", "/preview", "preview", "How many a rule would hold, with a sample",
        body=PreviewSpec, example={"rule": _RULE}, answer=Preview, scope=SEGMENTS_READ,
        changes=False, timeout=60.0, streams=True,
    ),
    _call(
        "POST", "/overlap", "overlap", "What two or three segments have in common",
        body=OverlapSpec, example={"segments": ["dormant-90d", "big-spender-10k"]},
        answer=Overlap, scope=SEGMENTS_READ, changes=False, timeout=60.0,
    ),
    _call("GET", "/{key}", "show", "One segment", answer=SegmentView),
    _call(
        "PUT", "/{key}", "update", "A new version of a segment",
        body=SegmentUpdate, example={"name": "沉睡大客户", "rule": _RULE}, answer=SegmentView,
    ),
    _call("DELETE", "/{key}", "delete", "End a segment", status=204),
    _call(
        "GET", "/{key}/members", "members", "Who is in it",
        answer=Page[SegmentMember], query=PAGE,
    ),
    _call(
        "GET", "/{key}/history", "history", "Who came and went",
        answer=SegmentHistory, query=PAGE,
    ),
    _call(
        "GET", "/{key}/explain/{profile_id}", "explain", "Why somebody is in it or not",
        answer=SegmentExplanation,
    ),
)  # fmt: skip
