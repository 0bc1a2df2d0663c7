"""The library of ready segments over HTTP, for the gateway: shown, and installed from."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.segmentation import definitions
from services.segmentation.domain.ready_segments.entry import Ready
from services.segmentation.domain.ready_segments.shelf import (
    BY_KEY,
    LIBRARY,
    STANDARD,
    with_what_they_read,
)
from services.segmentation.editor import Editor
from zhiyin.contracts.segment_library import ReadySegment, SegmentInstallSpec
from zhiyin.rules import parse, write_text
from zhiyin.rules.words.language import LANGUAGES
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import Page, body, json


def library_routes(database: Database, editor: Editor) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/segment-library")
    async def library() -> Response:
        async with database.connection() as connection:
            versions = {one.key: one.version for one in await definitions.load(connection)}
        return json(Page([_view(each, versions) for each in LIBRARY]))

    @router.post("/v1/segment-library/install")
    async def install(request: Request) -> Response:
        raw = await request.body()
        spec = body(SegmentInstallSpec, raw) if raw else SegmentInstallSpec()
        return json(await editor.install(chosen(spec)))

    return router


def chosen(spec: SegmentInstallSpec) -> list[Ready]:
    """With what they read. Raises Problem (422) for keys or groups the library does not have."""
    groups = {each.group for each in LIBRARY}
    errors = [
        FieldError(f"/{field}/{place}", "unknown", f"the library has no {name!r}")
        for field, named, known in (("keys", spec.keys, BY_KEY), ("groups", spec.groups, groups))
        for place, name in enumerate(named or ())
        if name not in known
    ]
    if errors:
        raise Problem(422, "not_in_library", errors[0].message, errors=errors)
    everything = spec.keys is None and spec.groups is None
    of_groups = (each.key for each in LIBRARY if everything or each.group in (spec.groups or ()))
    return with_what_they_read([*(spec.keys or ()), *of_groups])


def _view(one: Ready, versions: Mapping[str, int]) -> ReadySegment:
    rule = one.rule
    return ReadySegment(
        key=one.key,
        group=one.group,
        names={each: one.name.of(each) for each in LANGUAGES},
        descriptions={each: one.about.of(each) for each in LANGUAGES},
        rule=rule,
        text=write_text(parse(rule)),
        standard=one.key in STANDARD,
        installed=versions.get(one.key),
    )
