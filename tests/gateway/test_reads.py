"""Reading profiles: from the hot copy, from the services, masked or in clear."""

import json
from typing import Any

import httpx
import msgspec
import pytest
import redis.asyncio

from services.gateway.domain.door import Secret
from services.gateway.settings import GatewaySettings
from tests.gateway.harness import Running, running
from tests.gateway.posted import a_purchase
from zhiyin.contracts.buying import OrderTotals
from zhiyin.contracts.profiles import Attribute, Facts, Snapshot, encode

PHONE = "+8613800001111"


def a_person(profile_id: str, token: str = "", **facts: Any) -> Snapshot:
    identifiers = {"member_id": {f"M-{profile_id}": ""}}
    if token:
        identifiers["phone"] = {token: "138****1111"}
    kept = Facts(identifiers=identifiers, orders=OrderTotals(3, 77700), **facts)
    return Snapshot(profile_id, 7, 0, 0, kept)


async def heat(gateway: Running, *people: Snapshot, **segments: list[str]) -> None:
    client = gateway.gateway.people._hot._redis  # type: ignore[attr-defined]
    for person in people:
        await client.set(f"p:{person.profile_id}", encode(person))
        for namespace, values in person.facts.identifiers.items():
            for value in values:
                await client.set(f"i:{namespace}:{value}", person.profile_id)
    for profile_id, keys in segments.items():
        packed = msgspec.msgpack.encode({"version": 1, "segments": keys})
        await client.set(f"s:{profile_id}", packed)


async def read(gateway: Running, path: str, *scopes: str) -> httpx.Response:
    headers = await gateway.key(*(scopes or ("profiles:read",)))
    return await gateway.client.get(f"/v1/profiles/{path}", headers=headers)


async def test_a_profile_is_read_from_the_hot_copy_alone(gateway: Running) -> None:
    await heat(gateway, a_person("p1"), p1=["vip"])
    answer = await read(gateway, "p1")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["profile_id"], body["orders"]["total"], body["segments"]) == (
        "p1",
        "777.00",
        ["vip"],
    )
    assert (await read(gateway, "by/member_id/M-p1")).json()["profile_id"] == "p1"


async def test_what_redis_does_not_have_the_services_answer(gateway: Running) -> None:
    gateway.behind.people["p2"] = a_person("p2")
    gateway.behind.identifiers["member_id:M-p2"] = "p2"
    gateway.behind.segments["p2"] = ["dormant"]
    for path in ("p2", "by/member_id/M-p2"):
        answer = await read(gateway, path)
        assert (answer.status_code, answer.json()["segments"]) == (200, ["dormant"])


async def test_with_redis_away_reads_are_still_right(settings: GatewaySettings) -> None:
    gone = {name: getattr(settings.service, name) for name in settings.service.__struct_fields__}
    away = settings.service.__class__(**{**gone, "redis": "redis://127.0.0.1:1/0"})
    async with running(GatewaySettings(service=away)) as gateway:
        gateway.behind.people["p3"] = a_person("p3")
        gateway.behind.identifiers["member_id:M-p3"] = "p3"
        for _ in range(5):
            assert (await read(gateway, "by/member_id/M-p3")).status_code == 200


async def test_an_id_that_was_merged_away_still_answers(gateway: Running) -> None:
    await heat(gateway, a_person("kept"), kept=[])
    client = redis.asyncio.from_url(gateway.gateway.settings.service.redis)
    await client.set("p:older", "@old")
    await client.set("p:old", "@kept")
    await client.aclose()
    assert (await read(gateway, "older")).json()["profile_id"] == "kept"


async def test_an_identifier_that_has_moved_on_is_looked_up_again(gateway: Running) -> None:
    await heat(gateway, a_person("p4"), p4=[])
    gateway.behind.people["p5"] = a_person("p5")
    gateway.behind.identifiers["openid:o5"] = "p5"
    client = redis.asyncio.from_url(gateway.gateway.settings.service.redis)
    await client.set("i:openid:o5", "p4")
    await client.aclose()
    assert (await read(gateway, "by/openid/o5")).json()["profile_id"] == "p5"


async def test_a_raw_phone_finds_its_person_and_is_shown_masked(gateway: Running) -> None:
    token = gateway.gateway.door.identifier(f"phone:{PHONE}")
    assert isinstance(token, str)
    person = a_person("p6", token.partition(":")[2])
    await heat(gateway, person, p6=[])
    for spelling in ("13800001111", "%2B8613800001111", "138-0000-1111"):
        answer = await read(gateway, f"by/phone/{spelling}")
        assert answer.json()["identifiers"]["phone"] == ["138****1111"], answer.text
        assert "13800001111" not in answer.text


async def test_values_in_clear_need_their_scope_and_are_on_record(gateway: Running) -> None:
    token = str(gateway.gateway.door.identifier(f"phone:{PHONE}")).partition(":")[2]
    await gateway.gateway.unmasking._vault.keep([Secret("phone", token, PHONE)])  # type: ignore[attr-defined]
    name = {"name": Attribute("张小明", "crm", 0, "e")}
    await heat(gateway, a_person("p7", token, attributes=name), p7=[])
    masked = (await read(gateway, "p7", "admin")).json()
    assert masked["identifiers"]["phone"] == ["138****1111"]
    assert masked["attributes"]["name"]["value"] == "张**"
    clear = await read(gateway, "p7?reason=call-back", "profiles:read", "profiles:read_pii")
    assert clear.json()["identifiers"]["phone"] == [PHONE]
    assert clear.json()["attributes"]["name"]["value"] == "张小明"
    headers = await gateway.key("ops:read")
    trail = await gateway.client.get("/v1/audit?subject=p7", headers=headers)
    [entry] = trail.json()["items"]
    assert (entry["action"], entry["detail"]) == ("profile.read_unmasked", {"why": "call-back"})


async def test_a_receipt_is_waited_for(gateway: Running) -> None:
    headers = await gateway.key("events:write")
    posted = await gateway.client.post("/v1/events", headers=headers, json=a_purchase())
    receipt = posted.json()["receipt"]
    gateway.behind.people["p8"] = a_person("p8")
    answer = await read(gateway, f"p8?after={receipt}")
    assert answer.status_code == 200
    gateway.behind.behind = True
    late = await read(gateway, f"p8?after={receipt}")
    assert (late.status_code, late.json()["code"]) == (504, "not_yet")


async def test_a_phone_in_a_path_is_seen_by_nobody_behind_the_door(gateway: Running) -> None:
    answer = await read(gateway, "by/phone/13800009999")
    assert answer.status_code == 404
    assert "13800009999" not in answer.text
    slashed = a_person("p9")
    slashed.facts.identifiers["openid"] = {"a/b": ""}
    await heat(gateway, slashed, p9=[])
    assert (await read(gateway, "by/openid/a%2Fb")).json()["profile_id"] == "p9"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nobody", 404, "unknown_profile"),
        ("%00", 422, "invalid_path"),
        ("..", 404, None),
        ("a b", 404, "unknown_profile"),
        ("x" * 600, 422, "invalid_path"),
        ("by/member_id/nobody", 404, "unknown_profile"),
        ("by/shoe_size/43", 400, "unknown_namespace"),
        ("by/phone/12", 422, "invalid_phone"),
        ("by/email/x", 422, "invalid_email"),
        ("p1?after=x", 400, "invalid_receipt"),
        ("p1?after=%E9%98%BF", 400, "invalid_receipt"),
        ("p1?after=" + "A" * 9000, 400, "invalid_receipt"),
        ("p1?reason=%00", 422, "invalid_query"),
    ],
)
async def test_bad_reads_are_refused(
    gateway: Running, path: str, status: int, code: str | None
) -> None:
    answer = await read(gateway, path)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code
    assert json.loads(answer.text)["trace_id"]


async def test_what_was_shown_before_is_shown_only_while_it_stands(gateway: Running) -> None:
    first = a_person("p10")
    await heat(gateway, first, p10=["vip"])
    key = await gateway.key("profiles:read")

    async def shown(path: str) -> dict[str, Any]:
        answer = await gateway.client.get(f"/v1/profiles/{path}", headers=key)
        assert answer.status_code == 200, answer.text
        return answer.json()

    paths = ("p10", "by/member_id/M-p10")
    seen = [await shown(path) for path in (*paths, *paths)]
    assert len({body.pop("as_of") for body in seen}) == 4
    assert all(body == seen[0] for body in seen)
    await heat(gateway, msgspec.structs.replace(first, version=8), p10=["vip", "new"])
    for path in paths:
        again = await shown(path)
        assert (again["version"], again["segments"]) == (8, ["new", "vip"])


async def test_an_identifier_that_left_somebody_shown_before_is_looked_up(gateway: Running) -> None:
    await heat(gateway, a_person("p11"), p11=[])
    key = await gateway.key("profiles:read")
    await gateway.client.get("/v1/profiles/by/member_id/M-p11", headers=key)
    gateway.behind.people["p12"] = a_person("p12")
    gateway.behind.identifiers["openid:o12"] = "p12"
    client = redis.asyncio.from_url(gateway.gateway.settings.service.redis)
    await client.set("i:openid:o12", "p11")
    await client.aclose()
    for _ in range(2):
        answer = await gateway.client.get("/v1/profiles/by/openid/o12", headers=key)
        assert answer.json()["profile_id"] == "p12"
