"""Schemathesis against a running gateway: what it makes of the OpenAPI document, asked as every
role at once."""

import itertools
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Chosen once, so that a failure is there again the next time.
SEED: Final = 20_261_127
_SECONDS: Final = 20.0
EVERYTHING: Final = "everything"
Headers = Mapping[str, str]


class Fuzz:
    """`roles`: the scopes and the headers of each, of `EVERYTHING` and of nobody."""

    def __init__(
        self, document: dict[str, Any], base_url: str, roles: Mapping[str, tuple[set[str], Headers]]
    ) -> None:
        self._schema = schemathesis.openapi.from_dict(document)
        self._base_url = base_url
        self._roles = roles
        self._session = requests.Session()
        self._session.trust_env = False
        self._turns = itertools.cycle(roles)
        self._seen: set[str] = set()
        self.asked = 0
        self.failures: dict[str, str] = {}

    def operations(self) -> Iterator[APIOperation[Any, Any, Any, Any]]:
        """All but those whose answer never ends."""
        for result in self._schema.get_all_operations():
            operation = result.ok()
            answers = operation.definition.raw["responses"].values()
            if not any("text/event-stream" in each.get("content", {}) for each in answers):
                yield operation

    def run(self, operation: APIOperation[Any, Any, Any, Any], examples: int) -> None:
        """So many good requests, and half as many bad ones."""
        for mode, most in (
            (GenerationMode.POSITIVE, examples),
            (GenerationMode.NEGATIVE, -(-examples // 2)),
        ):

            @seed(SEED)
            @settings(
                max_examples=most,
                database=None,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Case) -> None:
                self.ask(case)

            ask()

    def ask(self, case: Case) -> None:
        raw = case.operation.definition.raw
        scopes, public = set(raw["x-scopes"]), raw["security"] == [{}]
        for role in self._asking(case.operation.label):
            held, headers = self._roles[role]
            self.asked += 1
            # A key of its own, or the second role would be answered as the first was.
            case.headers.pop("Idempotency-Key", None)
            response = case.call(
                base_url=self._base_url,
                session=self._session,
                headers=dict(headers),
                timeout=_SECONDS,
            )
            known = role != "nobody" or public
            enough = bool(scopes & held) and raw.get("x-and-scope") in (None, *held)
            may = known and (public or not scopes or enough or "admin" in held)
            self._judge(case, role, response, known=known, may=may)

    def _asking(self, operation: str) -> Collection[str]:
        """Everybody asks the first request of a call; the others go to who may do all, and to one
        more in turn."""
        if operation not in self._seen:
            self._seen.add(operation)
            return self._roles.keys()
        return {EVERYTHING, next(self._turns)}

    def _judge(self, case: Case, role: str, response: Any, *, known: bool, may: bool) -> None:
        where = f"{case.operation.method.upper()} {case.operation.path} as {role}"
        status = response.status_code
        # A request that is none at all (a header or a path no server takes) is refused before.
        if not known and status not in (401, 400, 404, 405, 413, 415):
            self._fail(where, f"let in with {status}", response)
        if known and not may and status not in (403, 400, 404, 405):
            self._fail(where, f"answered {status} without the scope", response)
        if status == 405 and response.text == "Method Not Allowed":
            return
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            for each in group.exceptions:
                self._fail(where, _said(each), response)

    def _fail(self, where: str, what: str, response: Any) -> None:
        request = response.request
        shown = f"{request.method} {request.url} {(request.body or b'')[:600]!r}"
        self.failures.setdefault(f"{where}: {what}", f"{shown} -> {response.text[:400]}")


def _said(failure: BaseException) -> str:
    if isinstance(failure, Failure):
        return f"{failure.title}: {failure.message[:300]}"
    return repr(failure)
