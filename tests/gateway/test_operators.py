"""Operators' accounts, and what roles may."""

import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.gateway.domain.scopes import OPERATOR_ROLES, ROLES, SCOPES
from services.gateway.main import MIGRATIONS, SERVICE, main
from services.gateway.settings import GatewaySettings
from tests.databases import a_database
from tests.gateway.harness import Running, environment, running, settings_for
from tests.gateway.staffed import bearer, somebody
from zhiyin.runtime.migrate import migrate


@pytest.fixture(scope="module")
async def own_settings(postgres_url: str, redis_url: str) -> AsyncIterator[GatewaySettings]:
    """Where nobody else is an admin."""
    async with a_database(postgres_url) as url:
        await migrate(url, SERVICE, MIGRATIONS)
        yield settings_for(url, redis_url)


async def call(
    gateway: Running, method: str, path: str, body: Any = None, role: str = "admin"
) -> tuple[int, Any]:
    headers = await gateway.operator(role)
    answer = await gateway.client.request(method, path, headers=headers, json=body)
    return answer.status_code, answer.json() if answer.content else None


async def test_an_account_is_made_shown_changed_and_erased(gateway: Running) -> None:
    spec = {"email": "an@example.com", "name": "安然", "role": "marketer", "brands": ["laomiao"]}
    status, made = await call(gateway, "POST", "/v1/operators", spec)
    assert status == 201
    operator = made["operator"]
    assert {name: operator[name] for name in spec} == spec
    assert operator["must_change_password"]
    path = f"/v1/operators/{operator['id']}"
    status, changed = await call(gateway, "PATCH", path, {"name": "安静", "brands": None})
    assert (status, changed["name"], changed["brands"]) == (200, "安静", None)
    status, listed = await call(gateway, "GET", "/v1/operators?limit=500")
    assert "安静" in {each["name"] for each in listed["items"]}
    status, again = await call(gateway, "POST", "/v1/operators", spec)
    assert (status, again["code"]) == (409, "email_taken")
    assert await call(gateway, "DELETE", path) == (204, None)
    assert (await call(gateway, "GET", path))[0] == 404
    kept = "SELECT count(*) FROM vault WHERE token = $1"
    assert await gateway.gateway.database.pool.fetchval(kept, operator["id"]) == 0
    assert (await call(gateway, "POST", "/v1/operators", spec))[0] == 201  # the address is free


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"role": "king"}, "/role"),
        ({"role": "storefront"}, "/role"),
        ({"email": "nobody"}, "/email"),
        ({"name": ""}, "/name"),
        ({"brands": []}, "/brands"),
        ({"role": "admin", "brands": ["laomiao"]}, "/brands"),
    ],
)
async def test_a_bad_account_is_refused(gateway: Running, change: Any, pointer: str) -> None:
    spec = {"email": "bad@example.com", "name": "x", "role": "viewer", **change}
    status, refused = await call(gateway, "POST", "/v1/operators", spec)
    assert (status, refused["errors"][0]["pointer"]) == (422, pointer)


async def test_what_was_done_to_accounts_is_on_record_without_who_they_are(
    gateway: Running,
) -> None:
    person = await somebody(gateway, "recorded-77@example.com")
    await call(gateway, "PATCH", f"/v1/operators/{person.id}", {"role": "approver"})
    _, temporary = await call(gateway, "POST", f"/v1/operators/{person.id}/reset-password")
    await gateway.client.post(
        "/v1/sessions", json={"email": person.email, "password": temporary["password"]}
    )
    _, trail = await call(gateway, "GET", f"/v1/audit?subject={person.id}")
    actions = [entry["action"] for entry in trail["items"]]
    assert actions[:3] == ["sessions.create", "operators.reset-password", "operators.update"]
    assert trail["items"][0]["actor"] == f"operator:{person.id}"
    assert "recorded-77" not in json.dumps(trail)


async def test_the_last_admin_stays_one(own_settings: GatewaySettings) -> None:
    async with running(own_settings) as gateway:
        person = await somebody(gateway, "last@example.com", "admin")
        opened = await gateway.gateway.staff.sessions.open(person.id, "password", "unknown")
        headers, path = bearer(opened.access_token), f"/v1/operators/{person.id}"
        for change in ({"role": "viewer"}, {"active": False}):
            answer = await gateway.client.patch(path, headers=headers, json=change)
            assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")
        assert (await gateway.client.delete(path, headers=headers)).status_code == 409
        await somebody(gateway, "another@example.com", "admin")
        answer = await gateway.client.patch(path, headers=headers, json={"role": "viewer"})
        assert answer.status_code == 200


async def test_roles_say_what_they_may(gateway: Running) -> None:
    status, told = await call(gateway, "GET", "/v1/roles", role="viewer")
    assert status == 200
    roles = {each["role"]: each for each in told["items"]}
    assert set(roles) == set(ROLES)
    assert {role for role, each in roles.items() if each["operators"]} == set(OPERATOR_ROLES)
    assert all(each["names"]["zh"] != role for role, each in roles.items() if each["operators"])
    assert set(told["scopes"]) == set(SCOPES)


async def test_a_key_has_no_account(gateway: Running) -> None:
    key = await gateway.key("ops:read")
    me = (await gateway.client.get("/v1/me", headers=key)).json()
    assert (me["kind"], me["scopes"], me["email"]) == ("key", ["ops:read"], None)
    change = {"current_password": "x", "new_password": "y"}
    answer = await gateway.client.post("/v1/me/password", headers=key, json=change)
    assert (answer.status_code, answer.json()["code"]) == (403, "operators_only")


async def test_a_page_of_operators_goes_on_in_the_next(own_settings: GatewaySettings) -> None:
    async with running(own_settings) as gateway:
        headers = await gateway.operator("admin")
        seen: list[str] = []
        cursor = ""
        while True:
            answer = await gateway.client.get(f"/v1/operators?limit=1{cursor}", headers=headers)
            seen += [each["id"] for each in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                break
            cursor = "&cursor=" + answer.json()["next_cursor"]
    assert len(seen) == len(set(seen)) >= 1


async def test_names_are_read_after_the_master_key_has_changed(gateway: Running) -> None:
    person = await somebody(gateway, "rewrapped@example.com")
    row = await gateway.gateway.database.pool.fetchrow(
        "SELECT namespace, master FROM vault WHERE token = $1", person.id
    )
    assert tuple(row) == ("operator", 1)  # in the table that rotation walks along


def test_the_command_line_makes_the_first_admin(
    own_settings: GatewaySettings,
    logs_as_before: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment(own_settings).items():
        monkeypatch.setenv(name, value)
    words = ["operators", "create", "--email", "first@example.com", "--name", "第一"]
    assert main(words) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["role"], made["email"]) == ("admin", "first@example.com")
    assert len(made["password"]) >= 12
    assert main(words) == 2
    assert "there is an operator with this e-mail address" in capsys.readouterr().err
    for wrong in (
        ["operators"],
        ["operators", "create"],
        ["operators", "create", "--email", "x", "--name", "x"],
        [*words, "--role", "king"],
        [*words, "--brands", "laomiao"],
    ):
        assert main(wrong) == 2
        assert capsys.readouterr().err.count("\n") == 1


async def test_an_operator_who_was_made_by_hand_in_the_database_cannot_be_read_as_somebody(
    gateway: Running,
) -> None:
    connection = await asyncpg.connect(gateway.gateway.settings.service.postgres)
    try:
        await connection.execute(
            "INSERT INTO gateway.operator (id, role, created_at, created_by)"
            " VALUES ('op_x', 'viewer', 0, 'x')"
        )
        status, shown = await call(gateway, "GET", "/v1/operators/op_x")
        assert (status, shown["email"], shown["name"]) == (200, "", "")
    finally:
        await connection.execute("DELETE FROM gateway.operator WHERE id = 'op_x'")
        await connection.close()
