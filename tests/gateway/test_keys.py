"""Keys: how they are made, what they allow, when they stop."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from services.gateway.domain.apikeys import RANDOM_BYTES, digest, key_id, new_key
from services.gateway.domain.scopes import ADMIN, PROFILES_READ_PII, ROLES, SCOPES, permits
from services.gateway.limits import RateLimits
from services.gateway.main import main
from services.gateway.settings import GatewaySettings
from tests.gateway.harness import Running, environment, running
from tests.gateway.posted import a_purchase, now
from zhiyin.runtime.redis import connect


def test_a_mistyped_key_is_known_without_asking_anybody() -> None:
    key = new_key(bytes(range(RANDOM_BYTES)))
    assert key_id(key.text) == key.id
    for index in range(3, len(key.text)):
        other = "0" if key.text[index] != "0" else "1"
        assert key_id(key.text[:index] + other + key.text[index + 1 :]) is None
    assert key.digest == digest(key.text)


def test_admin_may_everything_but_see_personal_values() -> None:
    admin = frozenset({ADMIN})
    assert {scope for scope in SCOPES if not permits(admin, scope)} == {PROFILES_READ_PII}
    assert all(scopes <= set(SCOPES) for scopes in ROLES.values())


async def test_without_a_valid_key_nothing_is_answered(gateway: Running) -> None:
    good = (await gateway.key("profiles:read"))["authorization"]
    for header in (
        "",
        "Bearer",
        "Bearer zk_x",
        good[:-1],
        "Basic !!",
        f"Digest {good}",
        "Bearer é",
    ):
        sent = {"authorization": header.encode("latin-1")} if header else {}
        answer = await gateway.client.get("/v1/profiles/p1", headers=sent)
        assert answer.status_code == 401, header
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.json()["code"] == "unauthenticated"


async def test_a_key_works_as_bearer_and_as_basic_user(gateway: Running) -> None:
    bearer = await gateway.key("ops:read")
    text = bearer["authorization"].removeprefix("Bearer ")
    basic = {"authorization": "Basic " + base64.b64encode(f"{text}:".encode()).decode()}
    for headers in (bearer, basic):
        assert (await gateway.client.get("/v1/audit", headers=headers)).status_code == 200


async def test_a_key_without_the_scope_is_told_which_one(gateway: Running) -> None:
    headers = await gateway.key("events:write")
    answer = await gateway.client.get("/v1/keys", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "admin" in answer.json()["message"]


async def test_only_a_hash_of_a_key_is_stored(gateway: Running) -> None:
    admin = await gateway.key("admin")
    made = await gateway.client.post("/v1/keys", headers=admin, json={"role": "storefront"})
    assert made.status_code == 201, made.text
    body = made.json()
    assert body["scopes"] == ["events:write"]
    async with gateway.gateway.database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM api_key WHERE id = $1", body["id"])
    assert body["key"] not in str(dict(row))
    listed = await gateway.client.get("/v1/keys?limit=500", headers=admin)
    assert body["key"] not in listed.text
    assert body["id"] in listed.text


async def test_pages_of_keys_hold_each_once(gateway: Running) -> None:
    admin = await gateway.key("admin")
    for _ in range(3):
        await gateway.key("ops:read")
    seen: list[str] = []
    cursor = ""
    while True:
        page = await gateway.client.get("/v1/keys?limit=2" + cursor, headers=admin)
        seen += [item["id"] for item in page.json()["items"]]
        if page.json()["next_cursor"] is None:
            break
        cursor = "&cursor=" + page.json()["next_cursor"]
    assert len(seen) == len(set(seen)) >= 4


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({}, "/scopes"),
        ({"scopes": ["fly"]}, "/scopes"),
        ({"role": "king"}, "/role"),
        ({"scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"scopes": "admin"}, "/scopes"),
        ({"scopes": ["campaigns:read"], "brands": []}, "/brands"),
        ({"scopes": ["campaigns:read"], "brands": ["Two Words"]}, "/brands/0"),
        ({"scopes": ["admin"], "brands": ["laomiao"]}, "/brands"),
    ],
)
async def test_a_bad_key_spec_is_refused(gateway: Running, spec: Any, pointer: str) -> None:
    admin = await gateway.key("admin")
    answer = await gateway.client.post("/v1/keys", headers=admin, json=spec)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_revoked_key_stops_in_every_gateway_within_five_seconds(
    gateway: Running, settings: GatewaySettings
) -> None:
    async with running(settings) as other:
        admin, victim = await gateway.key("admin"), await gateway.key("ops:read")
        for one in (gateway, other):
            assert (await one.client.get("/v1/audit", headers=victim)).status_code == 200
        key = key_id(victim["authorization"].removeprefix("Bearer "))
        gone = await gateway.client.delete(f"/v1/keys/{key}", headers=admin)
        assert gone.status_code == 204
        await asyncio.sleep(3)
        for one in (gateway, other):
            assert (await one.client.get("/v1/audit", headers=victim)).status_code == 401


async def test_a_rotated_key_works_beside_its_successor_for_the_overlap(gateway: Running) -> None:
    admin = await gateway.key("admin")
    spec = {"scopes": ["ops:read"], "name": "till", "brands": ["laomiao"]}
    old = (await gateway.client.post("/v1/keys", headers=admin, json=spec)).json()
    path = f"/v1/keys/{old['id']}/rotate"
    made = await gateway.client.post(path, headers=admin, json={"overlap": "1s"})
    assert made.status_code == 201, made.text
    new = made.json()
    same = ("scopes", "name", "brands", "role")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    assert new["replaces"] == old["id"]
    for key, status in ((old["key"], 200), (new["key"], 200)):
        headers = {"authorization": f"Bearer {key}"}
        assert (await gateway.client.get("/v1/audit", headers=headers)).status_code == status
    again = await gateway.client.post(path, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "not_in_use")
    headers = {"authorization": f"Bearer {old['key']}"}
    async with asyncio.timeout(5):
        while (await gateway.client.get("/v1/audit", headers=headers)).status_code != 401:
            await asyncio.sleep(0.1)
    headers = {"authorization": f"Bearer {new['key']}"}
    assert (await gateway.client.get("/v1/audit", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"overlap": "soon"}, "/overlap"),
        ({"overlap": "31d"}, "/overlap"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
    ],
)
async def test_a_bad_rotation_is_refused(gateway: Running, spec: Any, pointer: str) -> None:
    admin = await gateway.key("admin")
    made = await gateway.client.post("/v1/keys", headers=admin, json={"role": "app"})
    path = f"/v1/keys/{made.json()['id']}/rotate"
    answer = await gateway.client.post(path, headers=admin, json=spec)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


async def test_an_unknown_key_is_not_rotated(gateway: Running) -> None:
    admin = await gateway.key("admin")
    answer = await gateway.client.post("/v1/keys/nope/rotate", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_key")


async def test_a_rotation_sent_again_makes_no_second_key(gateway: Running) -> None:
    admin = await gateway.key("admin")
    made = await gateway.client.post("/v1/keys", headers=admin, json={"role": "app"})
    path = f"/v1/keys/{made.json()['id']}/rotate"
    once = {**admin, "idempotency-key": "rotate-1"}
    first, second = [await gateway.client.post(path, headers=once) for _ in range(2)]
    assert first.json() == second.json()
    other = {**await gateway.key("admin"), "idempotency-key": "rotate-1"}
    assert (await gateway.client.post(path, headers=other)).status_code == 409


async def test_a_key_says_when_it_was_last_used(gateway: Running) -> None:
    admin, used = await gateway.key("admin"), await gateway.key("ops:read")
    await gateway.client.get("/v1/audit?limit=1", headers=used)
    await gateway.gateway.keys_used.flush()
    wanted = key_id(used["authorization"].removeprefix("Bearer "))
    items = (await gateway.client.get("/v1/keys?limit=500", headers=admin)).json()["items"]
    (item,) = [each for each in items if each["id"] == wanted]
    assert item["last_used_at"] is not None


async def test_an_expired_key_stops(gateway: Running) -> None:
    admin = await gateway.key("admin")
    soon = (now() + timedelta(seconds=1)).isoformat()
    spec = {"scopes": ["ops:read"], "expires_at": soon}
    made = (await gateway.client.post("/v1/keys", headers=admin, json=spec)).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    assert (await gateway.client.get("/v1/audit", headers=headers)).status_code == 200
    await asyncio.sleep(1.1)
    assert (await gateway.client.get("/v1/audit", headers=headers)).status_code == 401


async def test_a_key_has_a_rate_and_learns_what_is_left(
    settings: GatewaySettings, fresh_redis: str
) -> None:
    slow = GatewaySettings(service=settings.service, rate_limit=1)
    async with running(slow) as gateway:
        headers = await gateway.key("ops:read")
        answers = [
            await gateway.client.get("/v1/audit?limit=1", headers=headers) for _ in range(30)
        ]
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    assert answers[0].headers["ratelimit-policy"].startswith('"key";q=2')
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0].headers["retry-after"]) >= 1


async def test_requests_at_the_same_time_do_not_use_up_more_than_their_own(
    fresh_redis: str,
) -> None:
    client = connect(fresh_redis)
    try:
        for rate, at_once in ((500, 900), (20, 35)):  # the burst is twice the rate
            limits = RateLimits(client, rate)
            allowances = await asyncio.gather(*(limits.take(f"k{rate}") for _ in range(at_once)))
            assert all(allowance.allowed for allowance in allowances)
            more = await asyncio.gather(*(limits.take(f"k{rate}") for _ in range(rate * 6)))
            assert not all(allowance.allowed for allowance in more)
    finally:
        await client.aclose()


async def test_the_limit_holds_locally_while_redis_is_away(settings: GatewaySettings) -> None:
    gone = settings.service.__class__(
        **{
            name: getattr(settings.service, name)
            for name in settings.service.__struct_fields__
            if name != "redis"
        },
        redis="redis://127.0.0.1:1/0",
    )
    async with running(GatewaySettings(service=gone, rate_limit=1)) as gateway:
        headers = await gateway.key("ops:read")
        statuses = [
            (await gateway.client.get("/v1/audit?limit=1", headers=headers)).status_code
            for _ in range(30)
        ]
    assert statuses[:2] == [200, 200]
    assert 429 in statuses


def test_the_command_line_makes_keys(
    settings: GatewaySettings,
    logs_as_before: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert main(["keys", "create", "--scopes", "events:write,profiles:read", "--name", "x"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["scopes"] == ["events:write", "profiles:read"]
    assert key_id(made["key"]) == made["id"]
    assert main(["keys", "create", "--role", "analyst"]) == 0
    assert json.loads(capsys.readouterr().out)["role"] == "analyst"
    for words in (
        [],
        ["fly"],
        ["create", "--scopes"],
        ["create", "--fly"],
        ["create", "--role", "king"],
        ["create", "--scopes", ",,"],
        ["create", "--scopes", "admin", "--name", "x" * 201],
        ["create", "--scopes", "admin", "--name", "\udcff"],
        ["create", "--scopes", "admin", "--expires", "tomorrow"],
        ["create", "--scopes", "admin", "--expires", "2020-01-01T00:00:00Z"],
        ["create", "--scopes", "admin", "--expires", "2999-01-01T00:00:00"],
    ):
        assert main(["keys", *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["keys", "create", "--scopes", "fly"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: unknown scope fly")
    assert error.count("\n") == 1
    monkeypatch.delenv("ZHIYIN_SECRET_KEY")
    assert main(["keys", "create", "--scopes", "admin"]) == 2
    assert "ZHIYIN_SECRET_KEY" in capsys.readouterr().err


async def test_a_new_key_can_post_at_once(gateway: Running) -> None:
    headers = await gateway.key("events:write")
    answer = await gateway.client.post("/v1/events", headers=headers, json=a_purchase())
    assert answer.status_code == 202
