"""The calls of engagement as the gateway makes them."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.builders import a_purchase, an_event
from tests.engagement.calling import calling
from tests.engagement.harness import (
    NOON,
    Instance,
    a_change,
    an_instance,
    reachable,
)
from zhiyin.contracts.instants import MINUTE

WIN_BACK = {
    "key": "back", "name": "唤醒礼", "purpose": "marketing",
    "trigger": {"on": "segment.entered", "segment": "dormant-90d"},
    "where": {"fact": "orders.total", "op": "gte", "value": "200"},
    "reentry": "P180D", "holdout": 0.1, "priority": 50,
    "steps": [
        {"coupon": "back-30"},
        {"message": {"channel": "auto", "template": "win-back"}},
        {"wait_for": {"event": "purchase.completed"}, "timeout": "7d",
         "else": [{"message": {"channel": "sms", "template": "win-back-2"}}]},
    ],
    "exit_on": {"event": "purchase.completed"},
    "goal": {"event": "purchase.completed", "within": "14d"},
}  # fmt: skip


@pytest.fixture(scope="module")
async def untouched(module_database: str) -> AsyncIterator[httpx.AsyncClient]:
    """The API for calls that change nothing, over one database for all of them."""
    async with an_instance(module_database) as instance, calling(instance) as client:
        yield client


async def test_the_contracts_campaign_is_taken_and_goes_through_its_states(
    api: httpx.AsyncClient,
) -> None:
    made = await api.post("/v1/campaigns", json=WIN_BACK)
    assert made.status_code == 201
    assert made.headers["location"] == "/v1/campaigns/back"
    assert made.json() | {"state": "draft", "version": 1} == made.json()
    again = await api.post("/v1/campaigns", json=WIN_BACK)
    assert (again.status_code, again.json()["code"]) == (409, "campaign_exists")
    for word, state in [("approve", "approved"), ("launch", "live"), ("pause", "paused")]:
        answer = await api.post(f"/v1/campaigns/back/{word}")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    shown = (await api.get("/v1/campaigns/back")).json()
    assert [each["state"] for each in shown["history"]] == ["draft", "approved", "live", "paused"]
    assert {each["by"] for each in shown["history"]} == {"key:ops"}
    update = await api.put("/v1/campaigns/back", json={**WIN_BACK, "name": "new"})
    assert (update.json()["version"], update.json()["name"]) == (2, "new")
    refused = await api.post("/v1/campaigns/back/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


async def test_what_is_built_in_is_live_from_the_start(untouched: httpx.AsyncClient) -> None:
    items = (await untouched.get("/v1/campaigns")).json()["items"]
    assert {each["key"] for each in items if each["state"] == "live"} == {
        "win-back-90d", "reorder-reminder", "welcome-first-order", "complaint-care"
    }  # fmt: skip


STEP = {"coupon": "back-30"}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"steps": [{"coupon": "none"}]}, "/steps/0/coupon", "unknown_reference"),
        ({"steps": [{"message": {"template": "none"}}]}, "/steps/0/message/template",
         "unknown_reference"),
        ({"steps": [{"message": {"template": "win-back", "channel": "fax"}}]},
         "/steps/0/message/channel", "unknown_reference"),
        ({"steps": [{"webhook": {"channel": "erp"}}]}, "/steps/0/webhook/channel",
         "unknown_reference"),
        ({"steps": [{"wait": "soon"}]}, "/steps/0/wait", "bad_duration"),
        ({"steps": [{"wait": "99999d"}]}, "/steps/0/wait", "bad_duration"),
        ({"steps": [{"wait": "1d", "tag": "x"}]}, "/steps/0", "one_kind"),
        ({"steps": [{}]}, "/steps/0", "one_kind"),
        ({"steps": [{"points": 0}]}, "/steps/0/points", "invalid"),
        ({"steps": [{"task": {"title": "{{ a"}}]}, "/steps/0/task/title", "bad_template"),
        ({"steps": [{"task": {"title": "a", "note": "{% if"}}]}, "/steps/0/task/note",
         "bad_template"),
        ({"steps": [{"task": {"title": "a", "due": "soon"}}]}, "/steps/0/task/due",
         "bad_duration"),
        ({"steps": [{"tag": {}}]}, "/steps/0/tag", "one_kind"),
        ({"steps": [{"tag": {"add": "a", "remove": "b"}}]}, "/steps/0/tag", "one_kind"),
        ({"steps": [{"tag": {"add": "a", "lasts": "x1"}}]}, "/steps/0/tag/lasts", "bad_duration"),
        ({"steps": [{"tag": {"remove": "a", "lasts": "1d"}}]}, "/steps/0/tag/lasts",
         "not_allowed"),
        ({"steps": [{"wait": {"until": "25:00"}}]}, "/steps/0/wait/until", "invalid"),
        ({"steps": [{"wait": {"until": "09:00", "on": ["someday"]}}]}, "/steps/0/wait/on/0",
         "invalid"),
        ({"steps": [{"wait": {"until": "09:00", "after": "x1"}}]}, "/steps/0/wait/after",
         "bad_duration"),
        ({"steps": [{"wait_for": {"event": "purchase.completed"}}]}, "/steps/0/timeout",
         "required"),
        ({"steps": [{"wait_for": {"event": "purchase.made"}, "timeout": "1d"}]},
         "/steps/0/wait_for/event", "unknown_event"),
        ({"steps": [{**STEP, "else": [STEP]}]}, "/steps/0/else", "not_allowed"),
        ({"steps": [{"wait_for": {"event": "purchase.completed"}, "timeout": "1d",
                     "then": [STEP]}]}, "/steps/0/then", "unreachable"),
        ({"steps": [{"if": {"fact": "orders.total"}, "then": [STEP]}]}, "/steps/0/if", None),
        ({"steps": [{"if": {"tag": "vip"}}]}, "/steps/0", "empty_branch"),
        ({"steps": [{"split": [{"weight": 1}]}]}, "/steps/0/split", "bad_split"),
        ({"where": {"fact": "orders.total", "op": "about", "value": "1"}}, "/where/op", None),
        ({"trigger": {"on": "date"}}, "/trigger", "one_day"),
        ({"trigger": {"on": "date", "fact": "attributes.birthday", "festival": "qixi"}},
         "/trigger", "one_day"),
        ({"trigger": {"on": "date", "fact": "orders.count"}}, "/trigger/fact", "wrong_type"),
        ({"trigger": {"on": "date", "fact": "nothing.such"}}, "/trigger/fact", "unknown_fact"),
        ({"trigger": {"on": "date", "festival": "cake-day"}}, "/trigger/festival",
         "unknown_festival"),
        ({"trigger": {"on": "date", "festival": "qixi", "offset": "-1w"}}, "/trigger/offset",
         "bad_offset"),
        ({"trigger": {"on": "date", "festival": "qixi", "offset": "-999d"}}, "/trigger/offset",
         "bad_offset"),
        ({"trigger": {"on": "date", "festival": "qixi", "repeat": "once"}}, "/trigger/repeat",
         "not_allowed"),
        ({"trigger": {"on": "date", "festival": "qixi", "calendar": "lunar"}},
         "/trigger/calendar", "not_allowed"),
        ({"trigger": {"on": "date", "fact": "attributes.birthday", "at": "9am"}}, "/trigger/at",
         "invalid"),
        ({"trigger": {"on": "schedule", "cron": "* * * *   ", "segment": "s"}}, "/trigger/cron",
         "bad_cron"),
        ({"trigger": {"on": "schedule", "cron": "0 0 30 2 *", "segment": "s"}}, "/trigger/cron",
         "bad_cron"),
        ({"trigger": {"on": "schedule", "cron": "R R * * *", "segment": "s"}}, "/trigger/cron",
         "bad_cron"),
        ({"trigger": {"on": "broadcast", "segment": "s", "at": "tomorrow"}}, "/trigger/at",
         "bad_time"),
        ({"trigger": {"on": "event", "type": "nonsense"}}, "/trigger/type", "unknown_event"),
        ({"trigger": {"on": "event", "type": "custom.x", "where": {"a": {"about": 1}}}},
         "/trigger/where/a/about", None),
        ({"goal": {"event": "custom.x", "where": {"a": {"trigger": "a"}}}}, "/goal/where",
         "no_trigger"),
        ({"trigger": {"on": "moon"}}, "/trigger/on", "invalid"),
        ({"trigger": {"on": "segment.entered", "segment": "Not A Key"}}, "/trigger/segment",
         "invalid"),
        ({"trigger": {"on": "reorder.due", "lead": "-3d"}}, "/trigger/lead", "bad_duration"),
        ({"reentry": "P0D"}, "/reentry", "bad_duration"),
        ({"goal": {"event": "purchase.completed", "within": "x1"}}, "/goal/within",
         "bad_duration"),
        ({"holdout": 1.5}, "/holdout", "invalid"),
        ({"priority": "high"}, "/priority", "invalid"),
        ({"steps": []}, "/steps", "invalid"),
        ({"surprise": 1}, "", "invalid"),
        ({"steps": [{"webhook": {"channel": "log", "data": {"n": 10**30}}}]}, "", "out_of_range"),
    ],
)  # fmt: skip
async def test_a_campaign_that_cannot_work_is_refused_with_a_pointer(
    untouched: httpx.AsyncClient, change: dict[str, Any], pointer: str, code: str | None
) -> None:
    answer = await untouched.post("/v1/campaigns", json={**WIN_BACK, **change})
    assert answer.status_code == 422, answer.text
    found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    if code is None:
        assert any(each.startswith(pointer) for each, _ in found), found
    else:
        assert (pointer, code) in found


async def test_every_fault_is_told_at_once(untouched: httpx.AsyncClient) -> None:
    bad = {**WIN_BACK, "reentry": "x1", "steps": [{"coupon": "none"}, {"wait": "x1"}]}
    answer = await untouched.post("/v1/campaigns", json=bad)
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert sorted(pointers) == ["/reentry", "/steps/0/coupon", "/steps/1/wait"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000, b"null"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/campaigns"), ("PUT", "/v1/campaigns/win-back-90d"),
        ("POST", "/v1/coupon-templates"), ("PUT", "/v1/channels/x"), ("PUT", "/v1/templates/x"),
        ("PUT", "/v1/pressure"), ("POST", "/v1/coupons/x/redeem"),
    ],
)  # fmt: skip
async def test_a_body_that_is_none_is_a_bad_request(
    untouched: httpx.AsyncClient, method: str, path: str, raw: bytes
) -> None:
    answer = await untouched.request(method, path, content=raw)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "campaigns/none", "campaigns/none/report", "campaigns/%00", "templates/none",
        "channels/none", "channels/%00", "coupon-templates/none", "coupons/none", "coupons/%00",
        "profiles/a%00b/actions", "profiles/a%00b/coupons",
    ],
)  # fmt: skip
async def test_what_does_not_exist_is_not_found(untouched: httpx.AsyncClient, path: str) -> None:
    assert (await untouched.get(f"/v1/{path}")).status_code == 404


async def test_calls_without_the_internal_token_are_refused(untouched: httpx.AsyncClient) -> None:
    answer = await untouched.get("/v1/campaigns", headers={"x-zhiyin-internal": "x"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("channel", "pointer", "code"),
    [
        ({"kind": "aliyun_sms", "config": {}}, "/config", "invalid"),
        ({"kind": "aliyun_sms", "config": {"access_key_id": "k", "sign_name": "知音"}},
         "/config/access_key_secret", "required"),
        ({"kind": "aliyun_sms", "config": {"access_key_id": "k", "sign_name": "知音",
          "access_key_secret": "s", "endpoint": "http://10.0.0.1"}},
         "/config/endpoint", "refused_url"),
        ({"kind": "aliyun_sms", "config": {"access_key_id": "k", "sign_name": "知音",
          "access_key_secret": "s", "stop_words": []}}, "/config/stop_words", "invalid"),
        ({"kind": "wechat_subscribe", "config": {"app_id": "wx1"}}, "/config/app_secret",
         "required"),
        ({"kind": "wechat_subscribe", "config": {"app_id": "wx1", "app_secret": "s",
          "encoding_aes_key": "k" * 43}}, "/config/token", "required"),
        ({"kind": "wechat_template", "config": {"app_id": "wx1", "app_secret": "s",
          "encoding_aes_key": "short"}}, "/config/encoding_aes_key", "invalid"),
        ({"kind": "wecom", "config": {}}, "/config/corp_id", "required"),
        ({"kind": "wecom", "config": {"corp_id": "c", "agent_id": 1, "app_secret": "s"}},
         "/config/to", "required"),
        ({"kind": "wecom", "config": {"robot_key": "k", "corp_id": "c"}}, "/config", "one_kind"),
        ({"kind": "inbox", "config": {"keep": "soon"}}, "/config/keep", "bad_duration"),
        ({"kind": "fax"}, "/kind", "invalid"),
        ({"kind": "log", "config": {"a": 1}}, "/config", "not_allowed"),
        ({"kind": "webhook", "config": {}}, "/config", "invalid"),
        ({"kind": "webhook", "config": {"url": "ftp://x"}}, "/config/url", "refused_url"),
        ({"kind": "webhook", "config": {"url": "http://169.254.169.254/"}}, "/config/url",
         "refused_url"),
        ({"kind": "webhook", "config": {"url": "https://x.example", "secret": "ü"}},
         "/config/secret", "bad_secret"),
        ({"kind": "webhook", "config": {"url": "https://x.example", "secret": "whsec_"}},
         "/config/secret", "bad_secret"),
        ({"kind": "smtp", "config": {"host": "h", "sender": "nobody"}}, "/config/sender",
         "bad_address"),
        ({"kind": "smtp", "config": {"host": "h", "sender": "a@b", "security": "none",
                                     "password": "p"}}, "/config/security", "insecure"),
    ],
)  # fmt: skip
async def test_a_channel_that_cannot_work_is_refused(
    untouched: httpx.AsyncClient, channel: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await untouched.put("/v1/channels/x", json=channel)
    assert answer.status_code == 422, answer.text
    assert {"pointer": pointer, "code": code}.items() <= answer.json()["errors"][0].items()


async def test_a_channels_secrets_are_never_shown_again(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    webhook = {"kind": "webhook", "config": {"url": "https://x.example/hook"}}
    made = (await api.put("/v1/channels/erp", json=webhook)).json()["secret"]
    assert made.startswith("whsec_")
    moved = {"kind": "webhook", "config": {"url": "https://y.example/hook"}}
    assert "secret" not in (await api.put("/v1/channels/erp", json=moved)).json()
    mail = {"host": "smtp.example", "sender": "a@b.c", "username": "u", "password": "s3cr3t-word"}
    await api.put("/v1/channels/mail", json={"kind": "smtp", "config": mail})
    shown = (await api.get("/v1/channels")).text + (await api.get("/v1/channels/mail")).text
    assert "s3cr3t-word" not in shown
    assert made not in shown
    rows = await instance.fetch("SELECT config FROM channel")
    assert all(b"s3cr3t-word" not in row[0] for row in rows)


async def test_templates_are_checked_stored_and_shown(api: httpx.AsyncClient) -> None:
    bad = await api.put("/v1/templates/mine", json={"body": "{% if %}", "subject": "{{"})
    assert [error["pointer"] for error in bad.json()["errors"]] == ["/subject", "/body"]
    good = await api.put("/v1/templates/mine", json={"body": "{{ profile.profile_id }}"})
    assert good.status_code == 200
    assert (await api.get("/v1/templates/mine")).json()["body"] == "{{ profile.profile_id }}"


async def test_pressure_has_defaults_and_is_checked(api: httpx.AsyncClient) -> None:
    assert (await api.get("/v1/pressure")).json()["quiet_hours"] == {"from": "21:30", "to": "09:00"}
    bad = {"caps": [{"per": "often", "max": 1}], "quiet_hours": {"from": "09:00", "to": "09:00"}}
    answer = await api.put("/v1/pressure", json=bad)
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/caps/0/per", "/quiet_hours/to"]
    cap = {"per": "P7D", "max": 3, "channel": None}
    answer = await api.put("/v1/pressure", json={"caps": [cap], "quiet_hours": None})
    good = {
        "caps": [{**cap, "purpose": "marketing"}],
        "quiet_hours": None,
        "holidays": "ordinary",
        "arbitration": None,
    }
    assert answer.json() == good
    assert (await api.get("/v1/pressure")).json() == good


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"value": "0"}, "/value"), ({"value": "-1"}, "/value"), ({"value": "NaN"}, "/value"),
        ({"value": 1e300}, "/value"), ({"kind": "percent", "value": 101}, "/value"),
        ({"kind": "gift", "value": 3}, "/value"), ({"valid": "0d"}, "/valid"),
        ({"minimum": "-1"}, "/minimum"), ({"minimum": "Infinity"}, "/minimum"),
        ({"budget": -1}, "/budget"), ({"per_person": 0}, "/per_person"), ({"key": "A B"}, "/key"),
    ],
)  # fmt: skip
async def test_a_coupon_template_that_makes_no_sense_is_refused(
    untouched: httpx.AsyncClient, change: dict[str, Any], pointer: str
) -> None:
    template = {"key": "mine", "kind": "amount", "value": "30.00"}
    answer = await untouched.post("/v1/coupon-templates", json={**template, **change})
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_person_sees_their_actions_and_coupons_page_by_page(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    orders = [a_purchase(NOON - n * MINUTE, order_id=f"O-{n}") for n in range(1, 4)]
    await instance.deliver(a_change(orders[:1], identifiers=reachable()))
    await instance.deliver(a_change(orders, causes=orders[1:], identifiers=reachable()))
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?limit=1&cursor={cursor}" if cursor else "?limit=1"
        page = (await api.get(f"/v1/profiles/p-1/actions{query}")).json()
        seen += page["items"]
        cursor = page["next_cursor"]
    assert len({each["id"] for each in seen}) == len(seen) == 4
    assert {(each["kind"], each["state"], each["reason"]) for each in seen} == {
        ("coupon", "sent", None), ("message", "decided", None), ("entry", "skipped", "condition"),
        ("entry", "skipped", "reentry"),
    }  # fmt: skip
    [coupon] = (await api.get("/v1/profiles/p-1/coupons")).json()["items"]
    assert (coupon["status"], coupon["value"], coupon["minimum"]) == ("issued", "15.00", "69.00")
    redeemed = await api.post(
        f"/v1/coupons/{coupon['code']}/redeem", json={"order_id": "O-9", "amount": "100"}
    )
    assert (redeemed.status_code, redeemed.json()["discount"]) == (200, "15.00")
    assert (await api.get(f"/v1/coupons/{coupon['code']}")).json()["status"] == "redeemed"


@pytest.mark.parametrize("cursor", ["x", "%00", "gqFh", "A" * 2000, "kgGjYQBi"])
async def test_a_cursor_of_somebody_elses_is_refused(
    untouched: httpx.AsyncClient, cursor: str
) -> None:
    for path in ("actions", "coupons"):
        answer = await untouched.get(f"/v1/profiles/p-1/{path}?cursor={cursor}")
        assert answer.status_code in (400, 422)


async def test_a_report_counts_decisions_steps_goals_and_coupons(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    first = a_purchase(NOON - MINUTE, total="300.00")
    for number in range(3):
        await instance.deliver(a_change([first], profile_id=f"p-{number}", identifiers=reachable()))
    again = a_purchase(NOON + MINUTE, order_id="again")
    await instance.deliver(a_change([first, again], profile_id="p-0", identifiers=reachable()))
    report = (await api.get("/v1/campaigns/welcome-first-order/report")).json()
    assert report["decisions"] == [
        {"outcome": "entered", "reason": None, "count": 3},
        {"outcome": "refused", "reason": "condition", "count": 1},
    ]
    assert {(each["kind"], each["state"], each["count"]) for each in report["actions"]} == {
        ("coupon", "sent", 3), ("message", "decided", 3),
    }  # fmt: skip
    assert (report["goal"]["measured"], report["goal"]["reached"]) == (3, 1)
    assert report["coupons"] == {"issued": 3, "redeemed": 0, "discount": "0.00"}


async def test_including_current_members_needs_a_segment(untouched: httpx.AsyncClient) -> None:
    body = {"include_current_members": True}
    answer = await untouched.post("/v1/campaigns/complaint-care/launch", json=body)
    assert answer.json()["errors"][0]["pointer"] == "/include_current_members"


async def test_missing_values_are_reported_with_the_message(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    text = {"body": "{{ profile.attributes.city.value }} {{ nothing }}!"}
    await api.put("/v1/templates/mine", json=text)
    spec = {
        "key": "mine", "name": "x", "purpose": "transactional",
        "trigger": {"on": "event", "type": "browse.searched"},
        "steps": [{"message": {"template": "mine", "channel": "sms"}}],
    }  # fmt: skip
    await instance.launch(spec)
    searched = an_event("browse.searched", NOON, query="nuts")
    await instance.deliver(a_change([searched], identifiers=reachable()))
    [item] = (await api.get("/v1/profiles/p-1/actions")).json()["items"]
    assert item["data"]["missing"] == ["profile.attributes.city", "nothing"]
