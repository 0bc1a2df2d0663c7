"""Every call of the API for every role, and for nobody: who may come in, and who may not."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct

from services.gateway.domain.scopes import OPERATOR_ROLES, ROLES
from tests.gateway.harness import Running
from tests.gateway.staffed import nobody_locked_out
from tests.gateway.test_surface import routes

_numbers = itertools.count(1)
# What may be asked without any key although no call of the documentation is: it tells nothing, or
# comes under a signature that the service behind it checks.
OPEN = {
    ("GET", "/v1/projects/-/settings"),
    ("POST", "/v1/m"),
    ("GET", "/v1/channels/{name}/callback"),
    ("POST", "/v1/channels/{name}/callback"),
}
VIEWER = {"profiles:read", "segments:read", "campaigns:read"}


class Asked(Struct, frozen=True):
    """`scopes`: one of them is needed; none: any caller who is known. `public`: not even that.
    `endless`: the answer goes on for as long as anybody listens."""

    method: str
    path: str
    scopes: frozenset[str]
    public: bool
    body: Any
    endless: bool
    also: str | None = None

    def allowed(self, held: frozenset[str]) -> bool:
        if self.public or not self.scopes or "admin" in held:
            return True
        return bool(self.scopes & held) and self.also in (None, *held)

    def filled(self) -> str:
        """About somebody who has not been asked for yet: there is a limit per profile."""
        return re.sub(r"\{\w+\}", f"x{next(_numbers)}", self.path)


async def every_call(gateway: Running) -> list[Asked]:
    return list(_calls(await routes(gateway)))


def _calls(paths: dict[str, Any]) -> Iterator[Asked]:
    for path, operations in paths.items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            body = next((each.get("example") for each in content.values()), None)
            scopes = frozenset(operation["x-scopes"])
            public = operation["security"] == [{}]
            answers = operation["responses"].values()
            endless = any("text/event-stream" in each.get("content", {}) for each in answers)
            also = operation.get("x-and-scope")
            yield Asked(method.upper(), path, scopes, public, body, endless, also)


@pytest.fixture
async def stubbed(gateway: Running) -> Running:
    gateway.behind.answer = (200, {"items": [], "next_cursor": None})
    await nobody_locked_out(gateway)
    return gateway


async def status_of(gateway: Running, asked: Asked, headers: dict[str, str]) -> tuple[int, str]:
    sent = {"json": asked.body} if asked.body is not None else {}
    answer = await gateway.client.request(asked.method, asked.filled(), headers=headers, **sent)
    code = answer.json().get("code", "") if answer.status_code >= 400 else ""
    return answer.status_code, code


@pytest.mark.parametrize(
    ("kind", "role"),
    [*(("operator", role) for role in OPERATOR_ROLES), *(("key", role) for role in ROLES)],
)
async def test_a_role_opens_what_its_scopes_say_and_nothing_else(
    stubbed: Running, kind: str, role: str
) -> None:
    held = ROLES[role]
    headers = await (stubbed.operator(role) if kind == "operator" else stubbed.key(*held))
    calls = await every_call(stubbed)
    assert len(calls) > 100
    for asked in calls:
        if asked.endless and asked.allowed(held):
            continue
        status, code = await status_of(stubbed, asked, headers)
        where = (role, asked.method, asked.path, status, code)
        if asked.public:
            assert status < 500, where
        elif asked.allowed(held):
            assert status not in (401, 403) or code == "operators_only", where
            assert status < 500, where
        else:
            assert (status, code) == (403, "forbidden"), where


async def test_nobody_opens_nothing(stubbed: Running) -> None:
    for headers in ({}, {"authorization": f"Bearer zk_{'0' * 60}"}, {"cookie": "zhiyin_session=x"}):
        for asked in await every_call(stubbed):
            if asked.public:
                continue
            status, code = await status_of(stubbed, asked, headers)
            assert (status, code) == (401, "unauthenticated"), (asked.method, asked.path, status)


async def test_who_has_to_change_their_password_opens_nothing_but_that(stubbed: Running) -> None:
    headers = await stubbed.operator("admin")
    await stubbed.gateway.database.pool.execute("UPDATE operator SET must_change = true")
    stubbed.gateway.staff.known._kept.clear()
    for asked in await every_call(stubbed):
        if asked.scopes:
            found = await status_of(stubbed, asked, headers)
            assert found == (403, "must_change_password"), (asked.method, asked.path)
    await stubbed.gateway.database.pool.execute("UPDATE operator SET must_change = false")


async def test_no_route_is_without_its_documentation_or_a_key(stubbed: Running) -> None:
    app = stubbed.client._transport.app  # type: ignore[attr-defined]
    documented = {(asked.method, asked.path) for asked in await every_call(stubbed)}
    for route in app.routes:
        path = getattr(route, "path", "").replace(":path}", "}")
        for method in getattr(route, "methods", None) or ():
            if not path.startswith("/v1/") or method == "HEAD" or (method, path) in documented:
                continue
            if (method, path) not in OPEN:
                answer = await stubbed.client.request(method, path, json={"batch": []})
                assert answer.status_code in (400, 401), (method, path)


def test_roles_are_as_narrow_as_their_work() -> None:
    """Written out once more: to widen a role takes two places."""
    assert {role: set(scopes) for role, scopes in OPERATOR_ROLES.items()} == {
        "viewer": VIEWER,
        "marketer": VIEWER | {"segments:write", "campaigns:write"},
        "approver": VIEWER | {"campaigns:approve"},
        "service_agent": VIEWER | {"profiles:read_pii", "profiles:annotate"},
        "store_clerk": {"profiles:read", "coupons:redeem"},
        "privacy_officer": {
            "profiles:read", "profiles:read_pii", "profiles:write", "audit:read",
        },
        "admin": {"admin"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "roles"),
    [
        ("DELETE", "/v1/profiles/{profile_id}", {"privacy_officer", "admin"}),
        ("POST", "/v1/profiles/merge", {"privacy_officer", "admin"}),
        ("PUT", "/v1/profiles/{profile_id}/tags/{tag}",
         {"service_agent", "privacy_officer", "admin"}),
        ("POST", "/v1/campaigns", {"marketer", "admin"}),
        ("POST", "/v1/campaigns/{key}/approve", {"approver", "admin"}),
        ("POST", "/v1/coupons/{code}/redeem", {"store_clerk", "admin"}),
        ("GET", "/v1/audit", {"privacy_officer", "admin"}),
        ("GET", "/v1/system", {"admin"}),
        ("POST", "/v1/keys", {"admin"}),
        ("POST", "/v1/operators", {"admin"}),
        ("POST", "/v1/master-key/rotate", {"admin"}),
        ("POST", "/v1/events", {"admin"}),
    ],
)  # fmt: skip
async def test_what_matters_most_is_for_who_it_is_for(
    gateway: Running, method: str, path: str, roles: set[str]
) -> None:
    (asked,) = [
        each for each in await every_call(gateway) if (each.method, each.path) == (method, path)
    ]
    assert {role for role, held in OPERATOR_ROLES.items() if asked.allowed(held)} == roles
