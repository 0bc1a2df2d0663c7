"""Signing in: with password and one-time code, and not by guessing."""

import asyncio

import pytest
from msgspec.structs import replace

from services.gateway.domain.lockout import Attempts, another
from services.gateway.domain.networks import network_of
from services.gateway.domain.passwords import weakness
from services.gateway.settings import GatewaySettings
from tests.gateway.harness import Running, running
from tests.gateway.staffed import (
    PASSWORD,
    MovableClock,
    bearer,
    nobody_locked_out,
    somebody,
    with_codes,
)
from zhiyin.contracts.instants import DAY, MINUTE, SECOND


async def test_who_knows_the_password_is_let_in_and_everybody_else_refused_alike(
    staffed: Running,
) -> None:
    person = await somebody(staffed, "alike@example.com", "marketer")
    headers = await person.headers()
    me = (await staffed.client.get("/v1/me", headers=headers)).json()
    assert (me["kind"], me["role"], me["email"], me["name"]) == (
        "operator", "marketer", "alike@example.com", "林悦",
    )  # fmt: skip
    assert "campaigns:write" in me["scopes"]
    assert "admin" not in me["scopes"]
    refusals = []
    for email, password in (
        ("alike@example.com", "wrong"),
        ("nobody@example.com", PASSWORD),
        ("nobody@example.com", "wrong"),
    ):
        said = {"email": email, "password": password}
        answer = await staffed.client.post("/v1/sessions", json=said)
        refusals.append((answer.status_code, answer.json()["code"], answer.json()["message"]))
    assert len(set(refusals)) == 1
    assert refusals[0][:2] == (401, "sign_in_refused")


async def test_an_address_is_the_same_however_it_is_written(staffed: Running) -> None:
    person = await somebody(staffed, "Mixed.Case@Example.com")
    assert (await person.sign_in(email=" mixed.case@example.COM ")).status_code == 201


async def test_nothing_of_an_operator_is_in_clear_outside_the_vault(staffed: Running) -> None:
    await somebody(staffed, "planted-4711@example.com")
    pool = staffed.gateway.database.pool
    tables = ("gateway.operator", "gateway.session", "gateway_audit.audit", "gateway.vault")
    for table in (*tables, "gateway.sign_in_attempt"):
        query = f"SELECT count(*) FROM {table} t WHERE position('planted-4711' IN t::text) > 0"
        assert await pool.fetchval(query) == 0, table


async def test_a_one_time_code_is_asked_for_and_taken_once(
    staffed: Running, clock: MovableClock
) -> None:
    person = await somebody(staffed, "codes@example.com")
    await with_codes(person, clock())
    without = await person.sign_in()
    assert (without.status_code, without.json()["code"]) == (401, "code_required")
    replayed = await person.sign_in(code=person.code(clock()))  # the one it was confirmed with
    assert replayed.status_code == 401
    clock.ahead += 30 * SECOND
    code = person.code(clock())
    assert (await person.sign_in(code=code)).status_code == 201
    again = await person.sign_in(code=code)
    assert (again.status_code, again.json()["code"]) == (401, "sign_in_refused")
    clock.ahead += 30 * SECOND
    older = person.code(clock() - 30 * SECOND)
    assert (await person.sign_in(code=older)).status_code == 401
    assert (await person.sign_in(code=person.code(clock()))).status_code == 201


async def test_of_two_at_once_with_the_same_code_one_is_let_in(
    staffed: Running, clock: MovableClock
) -> None:
    person = await somebody(staffed, "race@example.com")
    await with_codes(person, clock())
    clock.ahead += 30 * SECOND
    code = person.code(clock())
    answers = await asyncio.gather(*(person.sign_in(code=code) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401]


async def test_a_recovery_code_signs_in_once(staffed: Running, clock: MovableClock) -> None:
    person = await somebody(staffed, "recovery@example.com")
    codes = await with_codes(person, clock())
    assert len(set(codes)) == 10
    assert (await person.sign_in(code=codes[3])).status_code == 201
    assert (await person.sign_in(code=codes[3])).status_code == 401
    assert (await person.sign_in(code=codes[4].replace("-", "").upper())).status_code == 201


async def test_after_five_failures_the_account_is_locked_for_longer_each_time(
    staffed: Running, clock: MovableClock
) -> None:
    person = await somebody(staffed, "locked@example.com")
    for _ in range(5):
        assert (await person.sign_in(password="wrong")).status_code == 401
    locked = await person.sign_in()  # the right one, too soon
    assert (locked.status_code, locked.json()["code"]) == (429, "too_many_attempts")
    assert 25 <= int(locked.headers["retry-after"]) <= 30
    clock.ahead += 31 * SECOND
    assert (await person.sign_in(password="wrong")).status_code == 401
    clock.ahead += 31 * SECOND
    assert (await person.sign_in()).status_code == 429  # a minute now
    clock.ahead += 30 * SECOND
    assert (await person.sign_in()).status_code == 201
    for _ in range(5):  # and it starts anew
        assert (await person.sign_in(password="wrong")).status_code == 401


async def test_who_does_not_exist_is_locked_out_like_who_does(staffed: Running) -> None:
    said = {"email": "ghost@example.com", "password": "wrong"}
    answers = [await staffed.client.post("/v1/sessions", json=said) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


async def test_many_guesses_at_once_are_no_way_around(staffed: Running) -> None:
    person = await somebody(staffed, "flood@example.com")
    answers = await asyncio.gather(*(person.sign_in(password="wrong") for _ in range(20)))
    assert [answer.status_code for answer in answers].count(401) == 5


async def test_a_network_is_locked_out_when_it_tries_many_accounts(
    staffed: Running, clock: MovableClock
) -> None:
    statuses = []
    for number in range(32):
        said = {"email": f"spray{number}@example.com", "password": "Password123!"}
        statuses.append((await staffed.client.post("/v1/sessions", json=said)).status_code)
    assert statuses.index(429) == 30
    person = await somebody(staffed, "bystander@example.com")
    assert (await person.sign_in()).status_code == 429
    clock.ahead += MINUTE
    assert (await person.sign_in()).status_code == 201


async def test_wrong_codes_lock_the_account_too(staffed: Running, clock: MovableClock) -> None:
    person = await somebody(staffed, "guessing@example.com")
    await with_codes(person, clock())
    answers = [await person.sign_in(code="000000") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


async def test_signing_in_goes_on_with_redis_away(settings: GatewaySettings) -> None:
    away = replace(settings, service=replace(settings.service, redis="redis://127.0.0.1:1/0"))
    async with running(away) as gateway:
        await nobody_locked_out(gateway)
        person = await somebody(gateway, "no-redis@example.com")
        headers = await person.headers()
        assert (await gateway.client.get("/v1/me", headers=headers)).status_code == 200
        assert (await gateway.client.get("/v1/keys", headers=headers)).status_code == 403
        for _ in range(5):
            await person.sign_in(password="wrong")
        assert (await person.sign_in()).status_code == 429


async def test_until_the_password_is_changed_nothing_else_is_open(staffed: Running) -> None:
    admin = await staffed.operator("admin")
    spec = {"email": "new@example.com", "name": "新人", "role": "marketer"}
    made = await staffed.client.post("/v1/operators", headers=admin, json=spec)
    assert made.status_code == 201, made.text
    temporary = made.json()["password"]
    said = {"email": "new@example.com", "password": temporary}
    session = (await staffed.client.post("/v1/sessions", json=said)).json()
    assert session["must"] == ["change_password"]
    headers = bearer(session["access_token"])
    refused = await staffed.client.get("/v1/campaigns", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "must_change_password")
    for current, new, pointer in (
        ("wrong", PASSWORD, "/current_password"),
        (temporary, "short", "/new_password"),
        (temporary, "aaaaaaaaaaaaaaaa", "/new_password"),
    ):
        change = {"current_password": current, "new_password": new}
        answer = await staffed.client.post("/v1/me/password", headers=headers, json=change)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    change = {"current_password": temporary, "new_password": PASSWORD}
    answer = await staffed.client.post("/v1/me/password", headers=headers, json=change)
    assert answer.status_code == 204, answer.text
    assert (await staffed.client.get("/v1/campaigns", headers=headers)).status_code == 200
    assert (await staffed.client.post("/v1/sessions", json=said)).status_code == 401


async def test_where_codes_are_required_they_are_set_up_first(
    settings: GatewaySettings, clock: MovableClock
) -> None:
    async with running(replace(settings, totp_required=True), clock=clock) as gateway:
        await nobody_locked_out(gateway)
        person = await somebody(gateway, "required@example.com", "marketer")
        session = (await person.sign_in()).json()
        assert session["must"] == ["enrol_totp"]
        headers = bearer(session["access_token"])
        refused = await gateway.client.get("/v1/campaigns", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "must_enrol_totp")
        await with_codes(person, clock())
        clock.ahead += 30 * SECOND
        headers = await person.headers(code=person.code(clock()))
        assert (await gateway.client.get("/v1/campaigns", headers=headers)).status_code == 200


async def test_codes_are_removed_by_who_gives_the_password_and_reset_by_an_admin(
    staffed: Running, clock: MovableClock
) -> None:
    person = await somebody(staffed, "lost@example.com")
    await with_codes(person, clock())
    clock.ahead += 30 * SECOND
    headers = await person.headers(code=person.code(clock()))
    path = "/v1/me/totp/remove"
    wrong = await staffed.client.post(path, headers=headers, json={"password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_password")
    gone = await staffed.client.post(path, headers=headers, json={"password": PASSWORD})
    assert gone.status_code == 204
    assert (await person.sign_in()).status_code == 201
    await with_codes(person, clock())
    admin = await staffed.operator("admin")
    reset = f"/v1/operators/{person.id}/reset-totp"
    assert (await staffed.client.post(reset, headers=admin)).status_code == 204
    assert (await person.sign_in()).status_code == 201


def test_attempts_of_long_ago_are_forgotten() -> None:
    many = Attempts(9, last_at=0, locked_until=0)
    assert another(many, 5, DAY // 2).locked_until > DAY // 2
    assert another(many, 5, 2 * DAY) == Attempts(1, 2 * DAY, 2 * DAY)


def test_an_attempt_that_began_just_before_the_last_one_need_not_wait() -> None:
    free, locked = Attempts(1, 100, 100), Attempts(5, 100, 100 + MINUTE)
    assert (free.wait(99), locked.wait(99), locked.wait(100 + MINUTE)) == (0, MINUTE + 1, 0)


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    waits = [another(Attempts(n, 0, 0), 5, 1).locked_until - 1 for n in range(12)]
    assert waits == [
        *([0] * 4), *(30 * SECOND * 2**n for n in range(5)), *([15 * MINUTE] * 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_is_kept_as_its_network(host: str | None, network: str) -> None:
    assert network_of(host) == network


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaa", "lin.yue-and-more", "x" * 300])
def test_weak_passwords_are_refused(password: str) -> None:
    assert weakness(password, "lin.yue@example.com") is not None
    assert weakness(PASSWORD, "lin.yue@example.com") is None
