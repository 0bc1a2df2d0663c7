"""Sessions: how long they last, and that what is taken away is gone everywhere."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from msgspec.structs import replace

from services.gateway.domain.sessions import AccessTokens
from services.gateway.settings import GatewaySettings
from tests.gateway.harness import Running, running
from tests.gateway.staffed import PASSWORD, MovableClock, bearer, nobody_locked_out, somebody
from zhiyin.contracts.instants import HOUR, MINUTE, SECOND


def test_an_access_token_is_ours_or_none() -> None:
    tokens, others = AccessTokens(b"a" * 32), AccessTokens(b"b" * 32)
    text = tokens.made("ab" * 12, 100 * SECOND)
    assert tokens.session_of(text, 99 * SECOND) == "ab" * 12
    assert tokens.session_of(text, 100 * SECOND) is None
    assert others.session_of(text, 0) is None
    for index in range(3, len(text)):
        changed = "0" if text[index] != "0" else "1"
        assert tokens.session_of(text[:index] + changed + text[index + 1 :], 0) is None


async def test_an_access_token_ends_and_is_refreshed(staffed: Running, clock: MovableClock) -> None:
    person = await somebody(staffed, "refresh@example.com")
    first = (await person.sign_in()).json()
    clock.ahead += 16 * MINUTE
    headers = bearer(first["access_token"])
    assert (await staffed.client.get("/v1/me", headers=headers)).status_code == 401
    said = {"refresh_token": first["refresh_token"]}
    second = await staffed.client.post("/v1/sessions/refresh", json=said)
    assert second.status_code == 200, second.text
    headers = bearer(second.json()["access_token"])
    assert (await staffed.client.get("/v1/me", headers=headers)).status_code == 200
    assert second.json()["session_id"] == first["session_id"]


async def test_a_refresh_token_used_twice_ends_the_session_unless_a_moment_ago(
    staffed: Running, clock: MovableClock
) -> None:
    person = await somebody(staffed, "stolen@example.com")
    first = (await person.sign_in()).json()
    said = {"refresh_token": first["refresh_token"]}
    second = (await staffed.client.post("/v1/sessions/refresh", json=said)).json()
    tab = await staffed.client.post("/v1/sessions/refresh", json=said)
    assert (tab.status_code, tab.json()["code"]) == (409, "refreshed_already")
    clock.ahead += MINUTE
    thief = await staffed.client.post("/v1/sessions/refresh", json=said)
    assert (thief.status_code, thief.json()["code"]) == (401, "session_over")
    headers = bearer(second["access_token"])
    assert (await staffed.client.get("/v1/me", headers=headers)).status_code == 401
    owner = {"refresh_token": second["refresh_token"]}
    assert (await staffed.client.post("/v1/sessions/refresh", json=owner)).status_code == 401


async def test_a_session_nobody_uses_is_over(staffed: Running, clock: MovableClock) -> None:
    person = await somebody(staffed, "idle@example.com")
    first = (await person.sign_in()).json()
    clock.ahead += 31 * MINUTE
    said = {"refresh_token": first["refresh_token"]}
    assert (await staffed.client.post("/v1/sessions/refresh", json=said)).status_code == 401


async def test_use_keeps_a_session_up_but_not_beyond_its_end(
    staffed: Running, clock: MovableClock
) -> None:
    person = await somebody(staffed, "long@example.com")
    said = {"refresh_token": (await person.sign_in()).json()["refresh_token"]}
    for _ in range(35):
        clock.ahead += 20 * MINUTE
        answer = await staffed.client.post("/v1/sessions/refresh", json=said)
        assert answer.status_code == 200, answer.text
        said = {"refresh_token": answer.json()["refresh_token"]}
    clock.ahead += 20 * MINUTE
    assert (await staffed.client.post("/v1/sessions/refresh", json=said)).status_code == 401


async def test_calls_count_as_use(settings: GatewaySettings, clock: MovableClock) -> None:
    lasting = replace(settings.lasting, access=HOUR)
    async with running(replace(settings, lasting=lasting), clock=clock) as gateway:
        person = await somebody(gateway, "used@example.com")
        headers = await person.headers()
        for _ in range(2):
            clock.ahead += 20 * MINUTE
            assert (await gateway.client.get("/v1/me", headers=headers)).status_code == 200
            await gateway.gateway.staff.used.flush()
            gateway.gateway.staff.known.forget(next(iter(gateway.gateway.staff.known._kept)))
        clock.ahead += 31 * MINUTE
        assert (await gateway.client.get("/v1/me", headers=headers)).status_code == 401


async def test_signing_out_is_at_once(staffed: Running) -> None:
    person = await somebody(staffed, "out@example.com")
    headers, other = await person.headers(), await person.headers()
    listed = (await staffed.client.get("/v1/sessions", headers=headers)).json()["items"]
    assert len(listed) == 2
    gone = await staffed.client.delete("/v1/sessions/current", headers=headers)
    assert gone.status_code == 204
    assert (await staffed.client.get("/v1/me", headers=headers)).status_code == 401
    assert (await staffed.client.get("/v1/me", headers=other)).status_code == 200


async def test_sessions_of_others_are_an_admins_business(staffed: Running) -> None:
    person = await somebody(staffed, "mine@example.com")
    session = (await person.sign_in()).json()
    stranger, admin = await staffed.operator("marketer"), await staffed.operator("admin")
    query, path = f"/v1/sessions?operator_id={person.id}", f"/v1/sessions/{session['session_id']}"
    assert (await staffed.client.get(query, headers=stranger)).status_code == 403
    assert (await staffed.client.delete(path, headers=stranger)).status_code == 404
    assert (await staffed.client.get("/v1/me", headers=bearer(session["access_token"]))).is_success
    assert len((await staffed.client.get(query, headers=admin)).json()["items"]) == 1
    assert (await staffed.client.delete(path, headers=admin)).status_code == 204
    answer = await staffed.client.get("/v1/me", headers=bearer(session["access_token"]))
    assert answer.status_code == 401


async def test_another_password_ends_the_other_sessions(staffed: Running) -> None:
    person = await somebody(staffed, "change@example.com")
    here, there = await person.headers(), await person.headers()
    change = {"current_password": PASSWORD, "new_password": "a quite different sentence"}
    answer = await staffed.client.post("/v1/me/password", headers=here, json=change)
    assert answer.status_code == 204
    assert (await staffed.client.get("/v1/me", headers=here)).status_code == 200
    assert (await staffed.client.get("/v1/me", headers=there)).status_code == 401


async def test_a_console_signs_in_with_cookies_no_script_can_read(staffed: Running) -> None:
    person = await somebody(staffed, "console@example.com", "admin")
    answer = await person.sign_in(cookie=True)
    assert answer.json()["access_token"] is None
    assert answer.json()["refresh_token"] is None
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
    assert (await staffed.client.get("/v1/me")).json()["role"] == "admin"
    refreshed = await staffed.client.post("/v1/sessions/refresh")
    assert refreshed.status_code == 200, refreshed.text
    assert (await staffed.client.get("/v1/me")).status_code == 200


async def test_a_cookie_alone_changes_nothing(staffed: Running) -> None:
    person = await somebody(staffed, "csrf@example.com", "admin")
    token = (await person.sign_in(cookie=True)).json()["csrf_token"]
    spec = {"scopes": ["ops:read"]}
    for headers in ({}, {"x-csrf-token": "0" * len(token)}, {"x-csrf-token": "é".encode()}):
        forged = await staffed.client.post("/v1/keys", json=spec, headers=headers)
        assert (forged.status_code, forged.json()["code"]) == (403, "csrf_token_wrong")
    made = await staffed.client.post("/v1/keys", json=spec, headers={"x-csrf-token": token})
    assert made.status_code == 201
    out = await staffed.client.delete("/v1/sessions/current", headers={"x-csrf-token": token})
    assert out.status_code == 204
    assert not staffed.client.cookies
    assert (await staffed.client.get("/v1/me")).status_code == 401


async def test_over_tls_cookies_are_for_tls_alone(settings: GatewaySettings) -> None:
    async with running(replace(settings, public_url="https://zhiyin.example.com")) as gateway:
        await nobody_locked_out(gateway)
        person = await somebody(gateway, "tls@example.com")
        answer = await person.sign_in(cookie=True)
        assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("cookie", ["zhiyin_session=", "zhiyin_session=zs_x", "=;=", "a b=\x01"])
async def test_nonsense_as_cookie_is_nobody(gateway: Running, cookie: str) -> None:
    answer = await gateway.client.get("/v1/me", headers={"cookie": cookie})
    assert answer.status_code == 401


async def until(status: int, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
    """Within the five seconds that are promised."""
    async with asyncio.timeout(5):
        while (await ask()).status_code != status:
            await asyncio.sleep(0.1)


async def test_another_role_holds_everywhere_within_five_seconds(
    gateway: Running, settings: GatewaySettings
) -> None:
    person = await somebody(gateway, "promoted@example.com", "viewer")
    admin = await gateway.operator("admin")
    opened = await gateway.gateway.staff.sessions.open(person.id, "password", "unknown")
    headers = bearer(opened.access_token)
    path = f"/v1/operators/{person.id}"
    async with running(settings) as other:
        both = (gateway, other)
        for one in both:
            assert (await one.client.get("/v1/keys", headers=headers)).status_code == 403
        changed = await gateway.client.patch(path, headers=admin, json={"role": "admin"})
        assert changed.json()["role"] == "admin"
        for one in both:
            await until(200, lambda one=one: one.client.get("/v1/keys", headers=headers))
        await gateway.client.patch(path, headers=admin, json={"role": "viewer"})
        for one in both:
            await until(403, lambda one=one: one.client.get("/v1/keys", headers=headers))
        await gateway.client.patch(path, headers=admin, json={"active": False})
        for one in both:
            await until(401, lambda one=one: one.client.get("/v1/me", headers=headers))
        refresh = {"refresh_token": opened.refresh_token}
        assert (await other.client.post("/v1/sessions/refresh", json=refresh)).status_code == 401
        await gateway.client.patch(path, headers=admin, json={"active": True})
        assert (await other.client.get("/v1/me", headers=headers)).status_code == 401
