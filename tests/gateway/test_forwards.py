"""Calls that are passed on: checked, on record, failed over, done once."""

import itertools
import json
from typing import Any

import httpx

from services.gateway.domain.chain import chained
from services.gateway.stores.answers import Claimed
from tests.gateway.harness import AwayTransport, Running, internal_headers
from zhiyin.contracts.profiles import Snapshot

SEGMENT = {
    "key": "big",
    "name": "大客户",
    "rule": {"fact": "orders.total", "op": "gte", "value": "1"},
}


async def call(gateway: Running, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = await gateway.key("admin")
    return await gateway.client.request(method, path, headers=headers, json=body)


async def audited(gateway: Running) -> list[dict[str, Any]]:
    headers = await gateway.key("ops:read")
    answer = await gateway.client.get("/v1/audit?limit=500", headers=headers)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_call_reaches_its_service_with_token_actor_and_trace(gateway: Running) -> None:
    gateway.behind.answer = (201, {"key": "big"})
    answer = await call(gateway, "POST", "/v1/segments", SEGMENT)
    assert (answer.status_code, answer.json()) == (201, {"key": "big"})
    [(method, target, headers, body)] = gateway.behind.asked
    assert (method, target, json.loads(body)) == ("POST", "/v1/segments", SEGMENT)
    assert headers["x-zhiyin-internal"] == internal_headers()["x-zhiyin-internal"]
    assert headers["x-zhiyin-actor"].startswith("key:")
    assert headers["traceparent"][3:35] == answer.headers["x-trace-id"]


async def test_paths_and_queries_arrive_as_they_were_meant(gateway: Running) -> None:
    await call(gateway, "GET", "/v1/segments/a%20b/members?limit=5&cursor=%E9%98%BF%26x")
    [(_, target, _, _)] = gateway.behind.asked
    assert target.endswith("/members?limit=5&cursor=%E9%98%BF%26x")


async def test_a_service_away_is_503_and_one_instance_away_is_nothing(gateway: Running) -> None:
    first = await call(gateway, "GET", "/v1/tag-rules")  # one of the two profile urls is away
    assert first.status_code == 200
    gateway.gateway.upstreams._client._mounts = {  # type: ignore[attr-defined]
        httpx._utils.URLPattern("all://"): AwayTransport()
    }
    answer = await call(gateway, "GET", "/v1/tag-rules")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"].isdecimal()


async def test_changes_are_on_record_and_refused_ones_twice(gateway: Running) -> None:
    await call(gateway, "DELETE", "/v1/segments/vip")
    gateway.behind.answer = (409, {"code": "x"})
    await call(gateway, "POST", "/v1/campaigns/c1/launch")
    await call(gateway, "GET", "/v1/campaigns")
    newest = (await audited(gateway))[:7]
    actions = [entry["action"] for entry in newest if entry["action"] != "keys.create"]
    assert actions[:3] == ["campaigns.launch.refused", "campaigns.launch", "segments.delete"]


async def test_the_audit_trail_is_a_chain(gateway: Running) -> None:
    for number in range(3):
        await call(gateway, "DELETE", f"/v1/segments/s{number}")
    links = await gateway.gateway.audit.page(2**62, 1000)
    for newer, older in itertools.pairwise(links):
        assert newer.seq == older.seq + 1
        assert newer.prev_hash == older.hash
        again = chained(newer.seq, newer.at, newer.entry, older.hash)
        assert again.hash == newer.hash


async def test_identifiers_to_unmerge_are_passed_on_as_tokens(gateway: Running) -> None:
    body = {"identifiers": ["phone:13800001111", "openid:o1"]}
    answer = await call(gateway, "POST", "/v1/profiles/p1/unmerge", body)
    assert answer.status_code == 200
    sent = gateway.behind.asked[-1][3]
    assert b"13800001111" not in sent
    assert json.loads(sent)["identifiers"][1] == "openid:o1"
    wrong = await call(gateway, "POST", "/v1/profiles/p1/unmerge", {"identifiers": ["phone:1"]})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/identifiers/0")
    await call(gateway, "POST", "/v1/profiles/p1/unmerge/preview", {"former": "p2"})
    assert json.loads(gateway.behind.asked[-1][3])["former"] == "p2"


async def test_a_phone_as_attribute_is_refused_and_in_a_note_masked(gateway: Running) -> None:
    answer = await call(gateway, "PATCH", "/v1/profiles/p1/attributes", {"phone": "13800001111"})
    assert (answer.status_code, answer.json()["code"]) == (422, "personal_attribute")
    await call(gateway, "PATCH", "/v1/profiles/p1/attributes", {"note": "ring 13800001111"})
    assert json.loads(gateway.behind.asked[-1][3]) == {"note": "ring 138****1111"}


async def test_a_merged_id_is_asked_for_under_its_new_one(gateway: Running) -> None:
    gateway.behind.people["old"] = Snapshot("new", 1, 0, 0)
    await call(gateway, "GET", "/v1/profiles/old/actions?limit=3")
    assert gateway.behind.asked[-1][1] == "/v1/profiles/new/actions?limit=3"
    nobody = await call(gateway, "GET", "/v1/profiles/nobody/coupons")
    assert nobody.status_code == 404


async def test_the_same_idempotency_key_is_done_once(gateway: Running) -> None:
    headers = {**await gateway.key("admin"), "idempotency-key": "once-1"}
    gateway.behind.answer = (201, {"key": "big"})
    first = await gateway.client.post("/v1/segments", headers=headers, json=SEGMENT)
    gateway.behind.answer = (409, {"code": "exists"})
    again = await gateway.client.post("/v1/segments", headers=headers, json=SEGMENT)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert len(gateway.behind.asked) == 1
    other = await gateway.client.post("/v1/segments", headers=headers, json={"key": "other"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_request_still_running_is_409_and_a_failed_one_may_be_tried_again(
    gateway: Running,
) -> None:
    headers = {**await gateway.key("admin"), "idempotency-key": "once-2"}
    answers = gateway.gateway.idempotency._answers
    key_id = headers["authorization"].removeprefix("Bearer zk_")[:12]
    place = "\n".join((key_id, "POST", "/v1/segments", "once-2"))
    raw = json.dumps(SEGMENT).encode()
    assert isinstance(await answers.claim(place, raw), Claimed)
    sent = {**headers, "content-type": "application/json"}
    running = await gateway.client.post("/v1/segments", headers=sent, content=raw)
    assert running.status_code == 409
    await answers.release(place)
    gateway.behind.answer = (500, {})
    failed = await gateway.client.post("/v1/segments", headers=sent, content=raw)
    assert failed.status_code == 502
    gateway.behind.answer = (201, {})
    assert (await gateway.client.post("/v1/segments", headers=sent, content=raw)).status_code == 201


async def test_dead_letters_of_all_services_are_one_list(gateway: Running) -> None:
    letter = {"id": 7, "topic": "events.purchase", "reason": "bad"}
    gateway.behind.answer = (200, {"items": [letter], "next_cursor": None})
    listed = (await call(gateway, "GET", "/v1/dead-letters?limit=2")).json()
    assert [item["id"] for item in listed["items"]] == ["profile.7", "segmentation.7"]
    rest = await call(gateway, "GET", f"/v1/dead-letters?cursor={listed['next_cursor']}")
    assert [item["id"] for item in rest.json()["items"]] == ["engagement.7"]
    await call(gateway, "POST", "/v1/dead-letters/segmentation.7/replay")
    assert gateway.behind.asked[-1][:2] == ("POST", "/v1/dead-letters/7/replay")
    for wrong in ("7", "gateway.7", "profile.x", "profile." + "9" * 30):
        answer = await call(gateway, "POST", f"/v1/dead-letters/{wrong}/replay")
        assert answer.status_code == 404


async def test_dead_letters_of_the_others_are_listed_while_one_service_is_away(
    gateway: Running,
) -> None:
    letter = {"id": 7, "topic": "events.purchase", "reason": "bad"}
    gateway.behind.answer = (200, {"items": [letter], "next_cursor": None})
    client: Any = gateway.gateway.upstreams._client
    away = {httpx._utils.URLPattern("http://engagement"): AwayTransport()}
    client._mounts = {**client._mounts, **away}
    listed = (await call(gateway, "GET", "/v1/dead-letters")).json()
    assert [item["id"] for item in listed["items"]] == ["profile.7", "segmentation.7"]
    assert listed["unavailable"] == ["engagement"]
    client._mounts = {httpx._utils.URLPattern("all://"): AwayTransport()}
    none = await call(gateway, "GET", "/v1/dead-letters")
    assert (none.status_code, none.json()["code"]) == (503, "unavailable")


async def test_the_system_says_in_words_what_is_wrong(gateway: Running) -> None:
    delay = {"total": {"100": 4}, "recent": {"150": 2}}
    told = {"service": "profile", "instance": "p-1", "pid": 1, "lag": {"events.purchase": 2000}}
    gateway.behind.answer = (200, {**told, "delays": {"event_to_profile": delay}, "halted": "gap"})
    body = (await call(gateway, "GET", "/v1/system")).json()
    assert body["status"] == "degraded"
    assert any("profile-away" in problem for problem in body["problems"])
    assert any("has halted: gap" in problem for problem in body["problems"])
    assert any("records behind and applies none" in each for each in body["problems"])
    assert any("nobody holds profile's partitions 0, 1" in each for each in body["problems"])
    assert not any("does not answer: nothing" in each for each in body["problems"])
    assert body["delays"]["event_to_profile"]["count"] == 6  # told by three addresses
    assert [each["instance"] for each in body["services"]["gateway"]["instances"]] == ["local-1"]
