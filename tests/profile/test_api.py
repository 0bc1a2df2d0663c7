"""The HTTP side, on a real database and the real log."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.profile.main import build_app
from tests.builders import START, a_browse, a_purchase
from tests.profile.harness import Service
from zhiyin.contracts.instants import HOUR, MINUTE
from zhiyin.contracts.profiles import decode_snapshot
from zhiyin.contracts.receipts import marks_of
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry

SECRET = "a secret of at least sixteen characters"
EVENTS = ["events.customer"]
BAD: list[tuple[str, str, Any, int]] = [
    ("GET", "/v1/profiles/nobody", None, 404),
    ("GET", "/v1/profiles/%00", None, 404),
    ("GET", "/v1/profiles/by/shoe/42", None, 400),
    ("GET", "/v1/profiles/by/member_id/%00", None, 404),
    ("GET", "/v1/profiles/nobody/timeline", None, 404),
    ("GET", "/v1/profiles/nobody/timeline?limit=0", None, 422),
    ("GET", "/v1/profiles/nobody/timeline?cursor=xx", None, 400),
    ("GET", "/v1/profiles/nobody/timeline?type=x", None, 422),
    ("PUT", "/v1/profiles/nobody/tags/vip", None, 404),
    ("PUT", "/v1/profiles/nobody/tags/a%20b", None, 422),
    ("PUT", "/v1/profiles/nobody/tags/vip", {"until": "2020-01-01T00:00:00Z"}, 422),
    ("PUT", "/v1/profiles/nobody/tags/vip", {"until": "2099-01-01T00:00:00"}, 422),
    ("PUT", "/v1/profiles/nobody/tags/vip", {"what": 1}, 422),
    ("PATCH", "/v1/profiles/nobody/attributes", {"a": {"b": 1}}, 422),
    ("PATCH", "/v1/profiles/nobody/attributes", {}, 422),
    ("PATCH", "/v1/profiles/nobody/attributes", {"a": 1}, 404),
    ("POST", "/v1/profiles/merge", {"keep": "a"}, 422),
    ("POST", "/v1/profiles/merge", {"keep": "a", "absorb": "b"}, 404),
    ("POST", "/v1/profiles/nobody/unmerge", {"identifiers": []}, 422),
    ("POST", "/v1/profiles/nobody/unmerge", {"identifiers": ["phone:1"]}, 404),
    ("PUT", "/v1/tag-rules/x", {"rule": {"fact": "no.such", "op": "eq", "value": 1}}, 422),
    ("PUT", "/v1/tag-rules/x", {"rule": {"tag": "x"}, "ttl": "soon"}, 422),
    ("PUT", "/v1/tag-rules/x", {"rules": 1}, 422),
    ("PUT", f"/v1/tag-rules/{'x' * 200}", {"rule": {"tag": "y"}}, 422),
    ("DELETE", "/v1/tag-rules/x", None, 404),
    ("GET", "/internal/applied?positions=nonsense", None, 422),
    ("GET", "/internal/applied", None, 422),
    ("GET", "/internal/profiles/nobody", None, 404),
]


class Api:
    """The app, and the log its commands go to."""

    def __init__(self, client: httpx.AsyncClient, log: Any, service: Service) -> None:
        self.client = client
        self.log = log
        self.service = service

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.client.request(method, path, **more)

    async def drain(self) -> None:
        """Apply what commands appended."""
        ends = await self.log.ends(EVENTS)
        records = []
        consumer = self.log.consumer("test", EVENTS)
        for partition, end in sorted(ends.items()):
            records += [await consumer.read_one(partition, offset) for offset in range(end)]
        await self.service.handle(records)


@pytest.fixture
async def api(service: Service, fresh_database: str, fresh_redis: str) -> AsyncIterator[Api]:
    settings = ServiceSettings(postgres=fresh_database, redis=fresh_redis, secret_key=SECRET)
    log = open_log(settings)
    await log.start()
    await log.ensure_topics(EVENTS, 8)
    app = build_app(
        settings, Telemetry("profile", "test-1"), service.database, None, service.hot, log
    )
    headers = {"x-zhiyin-internal": internal_token(SECRET), "x-zhiyin-actor": "anna"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://profile", headers=headers
    ) as client:
        yield Api(client, log, service)
    await log.stop()


async def somebody(api: Api, member: str = "M1", **more: Any) -> str:
    await api.service.apply(a_purchase(START, customer={"member_id": member, **more}, total="9"))
    found: str = (await api.call("GET", f"/v1/profiles/by/member_id/{member}")).json()["profile_id"]
    return found


async def test_a_profile_reads_as_the_contract_has_it(api: Api) -> None:
    who = await somebody(api)
    answer = await api.call("GET", f"/v1/profiles/{who}")
    assert answer.status_code == 200
    profile = answer.json()
    assert profile["orders"]["total"] == "9.00"
    assert profile["identifiers"] == {"member_id": ["M1"]}
    snapshot = await api.call("GET", f"/internal/profiles/{who}")
    assert decode_snapshot(snapshot.content).profile_id == who
    by = await api.call("GET", "/internal/profiles/by/member_id/M1")
    assert by.content == snapshot.content
    assert (await api.call("GET", "/internal/lookup/member_id/M1")).json() == {"profile_id": who}


async def test_the_timeline_pages_newest_first_and_filters(api: Api) -> None:
    who = await somebody(api)
    await api.service.apply(
        *[a_browse(START + n * MINUTE, customer="M1", event_id=f"v{n}") for n in range(5)]
    )
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        path = f"/v1/profiles/{who}/timeline"
        page = (await api.call("GET", path, params={"limit": 2, **cursor})).json()
        ids += [item["event_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert ids[:4] == ["v4", "v3", "v2", "v1"]
    assert len(ids) == len(set(ids)) == 6
    only = await api.call("GET", path, params={"type": "purchase.completed"})
    assert [item["type"] for item in only.json()["items"]] == ["purchase.completed"]


async def test_commands_become_events_with_a_receipt(api: Api) -> None:
    who = await somebody(api)
    put = await api.call("PUT", f"/v1/profiles/{who}/tags/vip")
    patched = await api.call("PATCH", f"/v1/profiles/{who}/attributes", json={"city": "杭州"})
    assert (put.status_code, patched.status_code) == (202, 202)
    [mark] = marks_of(patched.json()["receipt"]) or ()
    assert mark.topic == "events.customer"
    await api.drain()
    profile = (await api.call("GET", f"/v1/profiles/{who}")).json()
    assert [tag["tag"] for tag in profile["tags"]] == ["vip"]
    assert profile["tags"][0]["source"] == "manual:anna"
    assert profile["attributes"]["city"]["value"] == "杭州"


async def test_merge_and_unmerge_by_command(api: Api) -> None:
    keep, absorb = await somebody(api), await somebody(api, "M2", phone="tok")
    merged = await api.call("POST", "/v1/profiles/merge", json={"keep": keep, "absorb": absorb})
    assert merged.status_code == 202
    await api.drain()
    assert (await api.call("GET", f"/v1/profiles/{absorb}")).json()["profile_id"] == keep
    again = await api.call("POST", "/v1/profiles/merge", json={"keep": keep, "absorb": absorb})
    assert (again.status_code, again.json()["code"]) == (422, "same_profile")
    parted = await api.call(
        "POST", f"/v1/profiles/{keep}/unmerge", json={"identifiers": ["member_id:M2", "phone:tok"]}
    )
    assert parted.status_code == 202
    api.service.now += HOUR
    await api.drain()
    found = (await api.call("GET", "/v1/profiles/by/phone/tok")).json()
    assert found["identifiers"]["member_id"] == ["M2"]


async def test_tag_rules_are_put_listed_and_deleted(api: Api) -> None:
    rule = {"rule": {"fact": "orders.count", "op": "gte", "value": 3}, "name": "Regular"}
    assert (await api.call("PUT", "/v1/tag-rules/regular", json=rule)).status_code == 201
    assert (await api.call("PUT", "/v1/tag-rules/regular", json=rule)).json()["version"] == 1
    changed = await api.call("PUT", "/v1/tag-rules/regular", json={**rule, "ttl": "30d"})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    listed = (await api.call("GET", "/v1/tag-rules")).json()
    assert [each["tag"] for each in listed["items"]] == ["regular"]
    assert (await api.call("DELETE", "/v1/tag-rules/regular")).status_code == 204
    assert (await api.call("GET", "/v1/tag-rules/regular")).status_code == 404


async def test_waiting_for_a_receipt_ends_when_it_is_applied_or_the_time_is_up(api: Api) -> None:
    pool = api.service.database.pool
    await pool.execute("INSERT INTO position VALUES ('events.customer', 3, 1, 5, NULL, NULL)")
    done = await api.call("GET", "/internal/applied?positions=events.customer:3:5&wait=1")
    assert done.status_code == 200
    late = await api.call("GET", "/internal/applied?positions=events.customer:3:6&wait=0.05")
    assert (late.status_code, late.json()["code"]) == (504, "not_yet")


async def test_bad_requests_are_told_what_is_wrong(api: Api) -> None:
    for method, path, body, status in BAD:
        answer = await api.call(method, path, **({} if body is None else {"json": body}))
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"code", "message", "trace_id"} <= answer.json().keys()


async def test_identifiers_of_somebody_else_cannot_be_parted(api: Api) -> None:
    who = await somebody(api)
    for named, code in (["phone:1"], "unknown_identifier"), (["member_id:M1"], "nobody_left"):
        answer = await api.call("POST", f"/v1/profiles/{who}/unmerge", json={"identifiers": named})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
