"""What comes without a key: providers calling back, and people who follow our links."""

import msgspec
import pytest

from tests.gateway.harness import Running, internal_headers
from tests.people import snapshot_of
from zhiyin.contracts.callbacks import Callback
from zhiyin.contracts.profiles import Attribute
from zhiyin.contracts.visits import Visit


async def test_a_callback_is_handed_on_as_it_came(gateway: Running) -> None:
    gateway.behind.answer = (200, {"code": 0})
    headers = {"webhook-id": "w-1", "authorization": "secret", "content-type": "message/rfc822"}
    answer = await gateway.client.post(
        "/v1/channels/sms/callback?token=t", headers=headers, content=b"\x00 raw"
    )
    assert (answer.status_code, answer.json()) == (200, {"code": 0})
    [(method, target, _, body)] = gateway.behind.asked
    assert (method, target) == ("POST", "/internal/channels/sms/callback")
    said = msgspec.msgpack.decode(body, type=Callback)
    assert (said.method, said.query, said.body) == ("POST", {"token": "t"}, b"\x00 raw")
    assert said.headers["webhook-id"] == "w-1"
    assert "authorization" not in said.headers


async def test_a_refused_callback_is_a_problem_to_the_provider_too(gateway: Running) -> None:
    gateway.behind.answer = (401, {"code": "bad_signature"})
    answer = await gateway.client.get("/v1/channels/wechat/callback?echostr=x")
    assert answer.status_code == 401


async def test_a_visitor_is_led_on_or_shown_a_page_without_script(gateway: Running) -> None:
    gateway.behind.answer = (200, {"status": 302, "location": "https://shop.example/a"})
    led = await gateway.client.get("/r/abcdefghijk")
    assert (led.status_code, led.headers["location"]) == (302, "https://shop.example/a")
    gateway.behind.answer = (200, {"status": 410, "html": "<p>过期</p>"})
    shown = await gateway.client.get("/s/abcdefghijk", headers={"accept-language": "zh-CN"})
    assert (shown.status_code, shown.text) == (410, "<p>过期</p>")
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    gateway.behind.answer = (200, {"status": 200})
    picture = await gateway.client.get("/o/abcdefghijk.gif")
    assert picture.content.startswith(b"GIF89a")
    visits = [msgspec.json.decode(each[3], type=Visit) for each in gateway.behind.asked]
    assert [(each.kind, each.code, each.acts) for each in visits] == [
        (kind, "abcdefghijk", False) for kind in ("r", "s", "o")
    ]
    assert visits[1].languages == "zh-CN"


async def test_looking_ahead_is_told_apart_from_going_there(gateway: Running) -> None:
    gateway.behind.answer = (200, {"status": 302, "location": "https://shop.example/a"})
    await gateway.client.head("/r/abcdefghijk")
    assert not msgspec.json.decode(gateway.behind.asked[0][3], type=Visit).looks


async def test_what_is_written_on_a_form_has_no_numbers_of_people_any_more(
    gateway: Running,
) -> None:
    gateway.behind.answer = (200, {"status": 200, "html": "ok"})
    form = {"reason": "price", "comment": "打 13800001111 或 li@example.com"}
    await gateway.client.post("/s/abcdefghijk", data=form)
    visit = msgspec.json.decode(gateway.behind.asked[0][3], type=Visit)
    assert (visit.acts, visit.form["reason"]) == (True, "price")
    assert "13800001111" not in visit.form["comment"]
    assert "li@example.com" not in visit.form["comment"]


@pytest.mark.parametrize("path", ["/s/abc", "/u/abc"])
async def test_a_form_that_is_none_is_no_failure(gateway: Running, path: str) -> None:
    gateway.behind.answer = (200, {"status": 422, "html": "choose"})
    for content in (b"\xff\xfe", b"a=1&" * 100, b"--x\r\nmultipart"):
        assert (await gateway.client.post(path, content=content)).status_code == 422


async def test_events_of_people_known_by_phone_alone_come_in_through_the_door(
    gateway: Running,
) -> None:
    event = {
        "event_id": "sms:1", "type": "engagement.unsubscribed", "source": "sms",
        "occurred_at": "2026-03-02T03:00:00Z", "customer": {"phone": "13800001111"},
        "properties": {"channel": "sms"},
    }  # fmt: skip
    closed = await gateway.client.post("/internal/events", json={"events": [event]})
    assert closed.status_code == 404
    taken = await gateway.client.post(
        "/internal/events", json={"events": [event]}, headers=internal_headers()
    )
    assert taken.status_code == 202
    values = [record.value for record in await gateway.logged()]
    assert any(b"sms:1" in value for value in values)
    assert not any(b"13800001111" in value for value in values)


async def test_a_preview_masks_names_before_they_are_put_into_the_text(gateway: Running) -> None:
    named = {"name": Attribute("王小明", "crm", 1, "e-1")}
    gateway.behind.people["p-1"] = snapshot_of(attributes=named)
    gateway.behind.answer = (200, {"text": "王小明"})
    asked = {"profile_id": "p-1", "template": {"body": "x"}, "instead": {"name": "王小明"}}
    plain = await gateway.key("profiles:read", "campaigns:read")
    shown = await gateway.client.post("/v1/templates/preview", json=asked, headers=plain)
    assert shown.json() == {"text": "王**"}
    clear = await gateway.key("profiles:read", "profiles:read_pii", "campaigns:read")
    shown = await gateway.client.post("/v1/templates/hi/preview", json=asked, headers=clear)
    assert shown.json() == {"text": "王小明"}
    sent = [msgspec.json.decode(each[3])["instead"] for each in gateway.behind.asked]
    assert sent == [{"name": "王**"}, {}]
    only = await gateway.key("profiles:read")
    refused = await gateway.client.post("/v1/templates/preview", json=asked, headers=only)
    assert refused.status_code == 403
