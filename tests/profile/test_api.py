"""The HTTP side, on a real database and the real log."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.profile.main import build_app
from tests.builders import START, a_browse, a_purchase, a_ticket
from tests.profile.harness import Service
from zhiyin.contracts.instants import HOUR, MINUTE
from zhiyin.contracts.profiles import decode_snapshot
from zhiyin.contracts.receipts import marks_of
from zhiyin.runtime.clock import wall_clock
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
    ("PUT", "/v1/profiles/nobody/notes/N-1", {"text": "不吃香菜"}, 404),
    ("PUT", "/v1/profiles/nobody/notes/N-1", {"text": ""}, 422),
    ("PUT", "/v1/profiles/nobody/notes/N-1", {"text": "x", "kind": "song"}, 422),
    ("PUT", "/v1/profiles/nobody/notes/N%201", {"text": "x"}, 422),
    ("DELETE", "/v1/profiles/nobody/notes/N-1", None, 404),
    ("PATCH", "/v1/profiles/nobody/attributes", {"a": {"b": 1}}, 422),
    ("PATCH", "/v1/profiles/nobody/attributes", {}, 422),
    ("PATCH", "/v1/profiles/nobody/attributes", {"a": 1}, 404),
    ("POST", "/v1/profiles/merge", {"keep": "a"}, 422),
    ("POST", "/v1/profiles/merge", {"keep": "a", "absorb": "b"}, 404),
    ("POST", "/v1/profiles/nobody/unmerge", {"identifiers": []}, 422),
    ("POST", "/v1/profiles/nobody/unmerge", {"identifiers": ["phone:1"]}, 404),
    ("POST", "/v1/profiles/merge/preview", {"keep": "a", "absorb": "b"}, 404),
    ("POST", "/v1/profiles/merge", {"keep": "\u0000", "absorb": "b"}, 400),
    ("POST", "/v1/profiles/merge", {"keep": "a", "absorb": "b", "force": True}, 422),
    ("POST", "/v1/profiles/nobody/unmerge/preview", {"former": "x"}, 404),
    ("POST", "/v1/profiles/nobody/unmerge", {"identifiers": ["phone:1"], "former": "x"}, 422),
    ("POST", "/v1/profiles/nobody/unmerge", {"identifiers": ["phone:1"] * 101}, 422),
    ("POST", "/v1/profiles/nobody/unmerge", {}, 422),
    ("PUT", "/v1/tag-rules/x", {"rule": {"fact": "no.such", "op": "eq", "value": 1}}, 422),
    ("PUT", "/v1/tag-rules/x", {"rule": {"tag": "x"}, "ttl": "soon"}, 422),
    ("PUT", "/v1/tag-rules/x", {"rules": 1}, 422),
    ("PUT", f"/v1/tag-rules/{'x' * 200}", {"rule": {"tag": "y"}}, 422),
    ("DELETE", "/v1/tag-rules/x", None, 404),
    ("GET", "/v1/tag-rules/x/explain/nobody", None, 404),
    ("POST", "/v1/tag-rules/test", {"rule": {"tag": "y"}, "profile_id": "nobody"}, 404),
    ("POST", "/v1/tag-rules/test", {"rule": {"tags": 1}, "profile_id": "nobody"}, 422),
    ("POST", "/v1/tag-library/install", {"tags": ["no-such"]}, 422),
    ("POST", "/v1/tag-library/install", {"groups": ["no-such"]}, 422),
    ("POST", "/v1/tag-library/install", {"what": 1}, 422),
    ("PUT", "/v1/lexicon/x", {"topic": "weather"}, 422),
    ("PUT", "/v1/lexicon/x", {"weight": -1}, 422),
    ("PUT", "/v1/lexicon/a%20b", {"topic": "taste"}, 422),
    ("DELETE", "/v1/lexicon/no-such", None, 404),
    ("GET", "/v1/lexicon?cursor=xx", None, 400),
    ("POST", "/v1/texts/classify", {"text": ""}, 422),
    ("POST", "/v1/texts/classify", {"text": "x", "score": 9}, 422),
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


async def test_a_merge_and_its_undoing_are_previewed_and_then_come_true(api: Api) -> None:
    keep, absorb = await somebody(api), await somebody(api, "M2", phone="tok")
    await api.service.apply(a_purchase(START, customer="M2", order_id="O-2", total="4"))
    before = [(await api.call("GET", f"/v1/profiles/{each}")).json() for each in (keep, absorb)]
    both = {"keep": keep, "absorb": absorb}
    seen = (await api.call("POST", "/v1/profiles/merge/preview", json=both)).json()
    assert (seen["keeps"]["orders"], seen["moves"]["orders"]) == (1, 2)
    assert seen["moves"]["identifiers"] == {"member_id": ["M2"], "phone": ["****"]}
    assert seen["moves"]["events"] == {"purchase.completed": 2}
    assert (seen["result"]["orders"], seen["result"]["total"]) == (2, "13.00"), "an id is one order"
    for each, known in zip((keep, absorb), before, strict=True):
        now = (await api.call("GET", f"/v1/profiles/{each}")).json()
        assert now["version"] == known["version"], "a preview changes nothing"
    await api.call("POST", "/v1/profiles/merge", json=both)
    await api.drain()
    path = f"/v1/profiles/{keep}/unmerge"
    asked = {"former": absorb}
    seen = (await api.call("POST", f"{path}/preview", json=asked)).json()
    assert (seen["stays"]["total"], seen["leaves"]["total"]) == ("9.00", "13.00")
    assert (seen["leaves"]["profile_id"], seen["restored"]) == (absorb, True)
    assert (await api.call("GET", f"/v1/profiles/{absorb}")).json()["profile_id"] == keep
    assert (await api.call("POST", path, json=asked)).status_code == 202
    await api.drain()
    back = (await api.call("GET", f"/v1/profiles/{absorb}")).json()
    assert (back["profile_id"], back["orders"]["total"]) == (absorb, "13.00")
    assert back["merged_from"] == []
    again = await api.call("POST", path, json=asked)
    assert (again.status_code, again.json()["code"]) == (422, "unknown_former")
    assert again.json()["errors"][0]["pointer"] == "/former"


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


async def test_how_far_a_changed_rule_has_got_can_be_read(api: Api) -> None:
    who = await somebody(api)
    rule = {"rule": {"fact": "orders.count", "op": "gte", "value": 1}, "name_en": "Buyer"}
    put = (await api.call("PUT", "/v1/tag-rules/buyer", json=rule)).json()
    assert (put["status"], put["name_en"]) == ("tagging", "Buyer")
    assert (await api.call("GET", "/v1/tagging")).json()["status"] == "running"
    await api.service.pass_time(wall_clock() + HOUR)
    done = (await api.call("GET", "/v1/tagging")).json()
    assert (done["status"], done["people"], done["checked"]) == ("done", 1, 1)
    assert done["started_at"] <= done["finished_at"]
    assert (await api.call("GET", "/v1/tag-rules/buyer")).json()["status"] == "live"
    [tag] = (await api.call("GET", f"/v1/profiles/{who}")).json()["tags"]
    assert (tag["source"], tag["rule_version"]) == ("rule:buyer", 1)


async def test_a_tag_is_explained_and_a_rule_tried_before_it_is_in_force(api: Api) -> None:
    who = await somebody(api)
    bought = {"count": {"event": "purchase.completed"}, "op": "gte", "value": 1}
    trial = {"rule": bought, "profile_id": who}
    tried = (await api.call("POST", "/v1/tag-rules/test", json=trial)).json()
    assert (tried["matches"], tried["held"], tried["rule_version"]) == (True, None, None)
    assert len(tried["clauses"]["evidence"]) == 1
    await api.call("PUT", "/v1/tag-rules/buyer", json={"rule": bought})
    await api.service.pass_time(wall_clock() + HOUR)
    told = (await api.call("GET", f"/v1/tag-rules/buyer/explain/{who}")).json()
    assert (told["matches"], told["rule_version"]) == (True, 1)
    assert told["held"]["evidence"] == told["clauses"]["evidence"]


async def test_the_library_is_installed_as_tag_rules_without_overwriting_one(api: Api) -> None:
    own = {"rule": {"fact": "orders.count", "op": "gte", "value": 9}, "name": "ours"}
    await api.call("PUT", "/v1/tag-rules/gift-buyer", json=own)
    listed = (await api.call("GET", "/v1/tag-library")).json()["items"]
    gifts = [each["tag"] for each in listed if each["group"] == "gift"]
    assert len(listed) >= 25
    assert len(gifts) == 4
    wanted = {"groups": ["gift"], "tags": ["snack-lover"]}
    first = (await api.call("POST", "/v1/tag-library/install", json=wanted)).json()
    assert sorted(first["installed"]) == sorted({*gifts, "snack-lover"} - {"gift-buyer"})
    assert first["kept"] == ["gift-buyer"]
    again = await api.call("POST", "/v1/tag-library/install", json={**wanted, "replace": True})
    assert again.json()["installed"] == ["gift-buyer"]
    assert len(again.json()["unchanged"]) == 4
    assert (await api.call("GET", "/v1/tag-rules/gift-buyer")).json()["name"] == "送礼客"
    everything = (await api.call("POST", "/v1/tag-library/install")).json()
    assert len(everything["installed"]) + len(everything["unchanged"]) == len(listed)
    in_force = (await api.call("GET", "/v1/tag-library")).json()["items"]
    assert all(each["installed"] for each in in_force)


async def test_the_lexicon_is_edited_and_tried_out(api: Api) -> None:
    async def topics(text: str) -> list[str]:
        answer = await api.call("POST", "/v1/texts/classify", json={"text": text})
        found: list[str] = answer.json().get("topics", [])
        return found

    assert await topics("有膻骚") == ["other"]
    put = await api.call("PUT", "/v1/lexicon/膻骚", json={"topic": "taste", "mood": "negative"})
    assert put.json() == {"phrase": "膻骚", "lexicon": 1}
    assert await topics("有膻骚") == ["taste"]
    assert await topics("快递") == ["logistics"]
    assert (await api.call("DELETE", "/v1/lexicon/快递")).status_code == 204
    assert await topics("快递") == ["other"], "a built-in keyword is silenced"
    assert (await api.call("DELETE", "/v1/lexicon/快递")).status_code == 204
    assert await topics("快递") == ["logistics"], "and comes back when that is taken back"
    page = (await api.call("GET", "/v1/lexicon", params={"limit": 500})).json()
    own = {each["phrase"]: each for each in page["items"] if each["source"] == "operator"}
    assert own["膻骚"]["mood"] == "negative"
    assert (await api.call("GET", "/v1/texts/model")).json()["lexicon"] == 3


async def test_the_timeline_shows_what_was_heard(api: Api) -> None:
    who = await somebody(api)
    await api.service.apply(a_ticket(START + MINUTE, text="盒子压扁了", customer="M1"))
    [item] = (
        await api.call("GET", f"/v1/profiles/{who}/timeline", params={"type": "support.opened"})
    ).json()["items"]
    assert item["heard"]["topics"] == ["packaging"]
    assert item["properties"]["text"] == "盒子压扁了"


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


async def test_a_note_of_staff_is_on_the_profile_with_its_author(api: Api) -> None:
    await api.service.apply(a_purchase(START))
    (person,) = await api.service.people()
    path = f"/v1/profiles/{person.profile_id}/notes/N-1"
    note = {"text": "放前台", "kind": "delivery_wish", "lasting": False}
    answer = await api.call("PUT", path, json=note, headers={"X-Zhiyin-Actor": "lee"})
    assert answer.status_code == 202
    await api.drain()
    (person,) = await api.service.people()
    told = person.facts.notes["N-1"]
    assert (told.text, told.lasting, told.author) == ("放前台", False, "lee")
