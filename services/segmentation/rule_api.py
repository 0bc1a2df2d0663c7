"""Rules and facts over HTTP, for the gateway: what a builder of rules needs."""

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.segmentation.domain.suspicions import suspicions
from services.segmentation.editor import check_segments_exist
from services.segmentation.fact_catalogue import FactCatalogues
from services.segmentation.given_rules import Given, field_error, given_rule, refusal
from zhiyin.contracts.rules import ReadRule, RuleSpec
from zhiyin.rules import Options, Rule, RuleError, from_jsonlogic, reads, unparse, write_text
from zhiyin.rules.reads import facts_read
from zhiyin.rules.words.language import LANGUAGES
from zhiyin.rules.words.phrases import describe
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError
from zhiyin.runtime.web import body, json


def rule_routes(database: Database, options: Options, catalogues: FactCatalogues) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/facts")
    async def facts() -> Response:
        return json(await catalogues.current())

    @router.post("/v1/rules/parse")
    async def read(request: Request) -> Response:
        given = _given(body(RuleSpec, await request.body()))
        with given.pointing():
            async with database.connection() as connection:
                await check_segments_exist(connection, given.tree, given.rule)
        seen = await catalogues.seen()
        warnings = suspicions(given.rule, seen)
        return json(_view(given.rule, options, warnings))

    return router


def _given(spec: RuleSpec) -> Given:
    """Raises Problem (422)."""
    if spec.jsonlogic is None:
        return given_rule(spec.rule, spec.text)
    if spec.rule is not None or spec.text is not None:
        raise refusal([FieldError("/jsonlogic", "two_rules", "give one of rule, text, jsonlogic")])
    try:
        rule = from_jsonlogic(spec.jsonlogic, "/jsonlogic")
    except RuleError as error:
        raise refusal([field_error(each) for each in error.problems]) from error
    return Given(rule, unparse(rule))


def _view(rule: Rule, options: Options, warnings: list[Any]) -> ReadRule:
    names = reads(rule)
    return ReadRule(
        rule=unparse(rule),
        text=write_text(rule),
        words={each: describe(rule, options, each) for each in LANGUAGES},
        facts=sorted(facts_read(rule)),
        events=_under(names, "events."),
        tags=_under(names, "tags."),
        segments=_under(names, "segments."),
        warnings=warnings,
    )


def _under(names: Iterable[str], prefix: str) -> list[str]:
    return sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))
