"""What providers report: checked under their own signatures, and told as events."""

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from standardwebhooks import Webhook

from services.engagement.callbacks.desk import Desk
from tests.builders import an_event
from tests.engagement.harness import NOON, Instance, a_change
from tests.engagement.receiver import SECRET
from tests.engagement.test_delivery import a_campaign
from zhiyin.contracts.callbacks import Callback
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.instants import MINUTE, SECOND
from zhiyin.runtime.problems import Problem

SEARCHED = an_event("browse.searched", NOON - MINUTE, query="nuts")
TOKEN, APP_ID = "callback-token", "wx1"
AES_KEY = base64.b64encode(b"k" * 32).decode().rstrip("=")
PEOPLE = {"phone": {"ph_1": ""}, "email": {"em_1": ""}, "openid": {"o-1": ""}}


@dataclass
class Door:
    """Stands for the gateway's."""

    posted: list[dict[str, Any]] = field(default_factory=list)

    async def post(self, events: Sequence[dict[str, Any]]) -> None:
        self.posted += events


@dataclass
class Reporting:
    """A message that went out on a channel, and a desk that hears what became of it."""

    instance: Instance
    action_id: str
    door: Door = field(default_factory=Door)

    async def hear(self, channel: str, callback: Callback) -> bytes:
        one = self.instance
        desk = Desk(one.db, one.catalogs, one.teller, self.door, one.clock)
        return (await desk.take(channel, callback)).body

    async def refused(self, channel: str, callback: Callback) -> tuple[int, str, list[str]]:
        with pytest.raises(Problem) as caught:
            await self.hear(channel, callback)
        problem = caught.value
        return problem.status, problem.code, [each.pointer for each in problem.errors]

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        return self.instance.told.said()


async def reporting(
    instance: Instance, channel: str, kind: str, config: Mapping[str, Any]
) -> Reporting:
    spec = {"kind": kind, "config": config}
    await instance.settings.put_channel(channel, msgspec.convert(spec, ChannelSpec))
    template = {"body": "回来看看", "template_id": "T1"}
    await instance.put_template("hello", template)
    await a_campaign(instance, {"message": {"template": "hello", "channel": channel}})
    await instance.deliver(a_change([SEARCHED], profile_id="p-0", identifiers=PEOPLE))
    [decided] = instance.decided
    await instance.fetch(
        "UPDATE action SET state = 'sent', reference = 'ref-1' WHERE action_id = $1::text::uuid",
        decided.action_id,
    )
    return Reporting(instance, decided.action_id)


def standard(body: bytes, media_type: str = "application/json", secret: str = SECRET) -> Callback:
    now = datetime.now(UTC)
    headers = {
        "content-type": media_type,
        "webhook-id": "w-1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign("w-1", now, body.decode()),
    }
    return Callback("POST", {}, headers, body)


SMTP = {"host": "h", "sender": "care@brand.example", "secret": SECRET}
SMS = {
    "access_key_id": "k", "access_key_secret": "s", "sign_name": "知音", "callback_token": TOKEN,
}  # fmt: skip
WECHAT = {"app_id": APP_ID, "app_secret": "s", "token": TOKEN}


async def test_reports_of_a_receiver_are_told_once_each(instance: Instance) -> None:
    config = {"url": "https://push.example", "secret": SECRET}
    reports = await reporting(instance, "push-1", "webhook", config)
    events = [
        {"type": what, "action_id": reports.action_id, "at": "2026-03-02T03:00:00Z"}
        for what in ("delivered", "opened")
    ]
    callback = standard(msgspec.json.encode({"events": events}))
    assert await reports.hear("push-1", callback) == b'{"taken":true}'
    await reports.hear("push-1", callback)
    assert reports.said() == [
        (f"engagement.{what}", {"action_id": reports.action_id, "channel": "push-1"})
        for what in ("delivered", "opened")
    ]


async def test_reports_that_are_not_signed_or_cannot_be_read_are_refused(
    instance: Instance,
) -> None:
    config = {"url": "https://push.example", "secret": SECRET}
    reports = await reporting(instance, "push-1", "webhook", config)
    other = "whsec_" + base64.b64encode(b"another secret").decode()
    assert (await reports.refused("push-1", standard(b"{}", secret=other)))[:2] == (
        401,
        "bad_signature",
    )
    assert (await reports.refused("push-1", Callback("POST", {}, {}, b"{}")))[0] == 401
    bad = msgspec.json.encode({"events": [{"type": "eaten", "action_id": "x"}]})
    found = await reports.refused("push-1", standard(bad))
    assert (found[0], found[2]) == (422, ["/events/0/type"])
    assert (await reports.refused("nowhere", standard(b"{}")))[0] == 404
    assert (await reports.refused("log", standard(b"{}")))[0] == 404
    assert reports.said() == []


async def test_a_report_of_another_channels_message_changes_nothing(instance: Instance) -> None:
    config = {"url": "https://push.example", "secret": SECRET}
    reports = await reporting(instance, "push-1", "webhook", config)
    spec = ChannelSpec("webhook", config)
    await instance.settings.put_channel("push-2", spec)
    events = [{"type": "unsubscribed", "action_id": reports.action_id}]
    await reports.hear("push-2", standard(msgspec.json.encode({"events": events})))
    assert reports.said() == []


def bounce(action_id: str, status: str) -> bytes:
    """As RFC 3464 has it."""
    return (
        "From: mailer-daemon@mx.example\r\nTo: care@brand.example\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n'
        "MIME-Version: 1.0\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; z@x.example\r\nAction: failed\r\nStatus: {status}\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: <{action_id}@zhiyin>\r\nSubject: hello\r\n\r\nhi\r\n--b--\r\n"
    ).encode()


async def test_a_letter_that_came_back_for_good_takes_the_address_out_of_use(
    instance: Instance,
) -> None:
    reports = await reporting(instance, "email", "smtp", SMTP)
    await reports.hear("email", standard(bounce(reports.action_id, "5.1.1"), "message/rfc822"))
    [(kind, said)] = reports.said()
    assert kind == "engagement.bounced"
    assert (said["hard"], said["address"]) == (True, "email:em_1")
    assert "z@x" not in str(said)


async def test_a_full_mailbox_is_no_dead_address(instance: Instance) -> None:
    reports = await reporting(instance, "email", "smtp", SMTP)
    await reports.hear("email", standard(bounce(reports.action_id, "5.2.2"), "message/rfc822"))
    assert [said["hard"] for _, said in reports.said()] == [False]


async def test_a_complaint_of_spam_unsubscribes(instance: Instance) -> None:
    reports = await reporting(instance, "email", "smtp", SMTP)
    raw = (
        b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n--b\r\n"
        b"Content-Type: message/rfc822\r\n\r\nMessage-ID: <"
        + reports.action_id.encode()
        + b"@zhiyin>\r\n\r\nhi\r\n--b--\r\n"
    )
    await reports.hear("email", standard(raw, "message/rfc822"))
    assert [kind for kind, _ in reports.said()] == ["engagement.unsubscribed"]


def pushed(*items: Mapping[str, Any], token: str = TOKEN) -> Callback:
    return Callback("POST", {"token": token}, {}, msgspec.json.encode(items))


async def test_sms_reports_find_their_message_by_either_id(instance: Instance) -> None:
    reports = await reporting(instance, "sms", "aliyun_sms", SMS)
    common = {"phone_number": "13800001111", "send_time": "2026-03-02 11:00:00"}
    done = {**common, "report_time": "2026-03-02 11:00:05", "sms_size": "1"}
    delivered = {**done, "success": True, "err_code": "DELIVERED", "out_id": reports.action_id}
    dead = {**done, "success": False, "err_code": "INVALID_NUMBER", "biz_id": "ref-1"}
    unknown = {**done, "success": True, "err_code": "DELIVERED", "biz_id": "somebody else's"}
    answer = await reports.hear("sms", pushed(delivered, dead, unknown))
    assert msgspec.json.decode(answer) == {"code": 0, "msg": "成功"}
    assert reports.said() == [
        ("engagement.delivered", {"action_id": reports.action_id, "channel": "sms"}),
        ("engagement.bounced", {
            "action_id": reports.action_id, "channel": "sms", "hard": True,
            "address": "phone:ph_1", "reason": "INVALID_NUMBER",
        }),
    ]  # fmt: skip
    assert (await reports.refused("sms", pushed(delivered, token="guess")))[0] == 401
    bad = {"phone_number": "1", "send_time": "yesterday", "content": "TD"}
    assert (await reports.refused("sms", pushed(bad)))[2] == ["/0/send_time"]


async def test_whoever_answers_td_is_left_alone_and_other_words_are_heard(
    instance: Instance,
) -> None:
    reports = await reporting(instance, "sms", "aliyun_sms", SMS)
    said = {"phone_number": "13800001111", "send_time": "2026-03-02 11:00:00", "dest_code": "1"}
    await reports.hear(
        "sms", pushed({**said, "content": " td "}, {**said, "content": "太贵了", "sequence_id": 9})
    )
    stop, other = reports.door.posted
    assert stop["customer"] == other["customer"] == {"phone": "13800001111"}
    assert (stop["type"], stop["properties"]) == ("engagement.unsubscribed", {"channel": "sms"})
    assert (other["type"], other["properties"]["text"]) == ("custom.replied", "太贵了")
    assert stop["occurred_at"] == "2026-03-02T03:00:00Z"


def signed(document: Mapping[str, Any] | str, **query: str) -> Callback:
    body = document if isinstance(document, str) else msgspec.json.encode(document).decode()
    stamp, nonce = str(NOON // SECOND), "n"
    signature = hashlib.sha1("".join(sorted([TOKEN, stamp, nonce])).encode()).hexdigest()
    given = {"timestamp": stamp, "nonce": nonce, "signature": signature, **query}
    return Callback("POST", given, {}, body.encode())


async def test_the_address_is_shown_to_be_ours_when_wechat_asks(instance: Instance) -> None:
    reports = await reporting(instance, "wechat", "wechat_subscribe", WECHAT)
    asked = signed("", echostr="say this")
    callback = Callback("GET", asked.query, {}, b"")
    assert await reports.hear("wechat", callback) == b"say this"
    wrong = Callback("GET", {**asked.query, "signature": "0" * 40}, {}, b"")
    assert (await reports.refused("wechat", wrong))[:2] == (401, "bad_signature")


async def test_what_became_of_a_subscribe_message_is_told_from_json_and_xml(
    instance: Instance,
) -> None:
    reports = await reporting(instance, "wechat", "wechat_subscribe", WECHAT)
    created = NOON // SECOND
    entry = {"TemplateId": "T1", "MsgID": "ref-1", "ErrorCode": "0", "ErrorStatus": "success"}
    await reports.hear("wechat", signed({
        "FromUserName": "o-1", "CreateTime": created, "MsgType": "event",
        "Event": "subscribe_msg_sent_event", "List": entry,
    }))  # fmt: skip
    await reports.hear("wechat", signed(
        f"<xml><FromUserName><![CDATA[o-1]]></FromUserName><CreateTime>{created}</CreateTime>"
        "<Event><![CDATA[subscribe_msg_popup_event]]></Event><SubscribeMsgPopupEvent>"
        "<List><TemplateId>T1</TemplateId><SubscribeStatusString>reject</SubscribeStatusString>"
        "</List><List><TemplateId>T2</TemplateId>"
        "<SubscribeStatusString>accept</SubscribeStatusString></List></SubscribeMsgPopupEvent></xml>"
    ))  # fmt: skip
    assert reports.said() == [
        ("engagement.delivered", {"action_id": reports.action_id, "channel": "wechat"}),
        ("customer.updated", {"consents": {"wechat.T1": False}}),
        ("customer.updated", {"consents": {"wechat.T2": True}}),
    ]
    customers = [each.customer for each in instance.told.events.values()]
    assert customers == [{"profile_id": "p-0"}, {"openid": "o-1"}, {"openid": "o-1"}]


@pytest.mark.parametrize("body", ["<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "<x", "{", "[]"])
async def test_xml_that_defines_things_and_what_is_neither_xml_nor_json_is_refused(
    instance: Instance, body: str
) -> None:
    reports = await reporting(instance, "wechat", "wechat_subscribe", WECHAT)
    assert (await reports.refused("wechat", signed(body)))[0] == 422


def sealed(message: Mapping[str, Any], app_id: str) -> str:
    plain = msgspec.json.encode(message)
    raw = os.urandom(16) + len(plain).to_bytes(4) + plain + app_id.encode()
    padding = 32 - len(raw) % 32
    key = base64.b64decode(AES_KEY + "=")
    encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
    return base64.b64encode(
        encryptor.update(raw + bytes([padding]) * padding) + encryptor.finalize()
    ).decode()


async def test_in_safe_mode_a_message_is_opened_only_for_the_app_it_is_for(
    instance: Instance,
) -> None:
    config = {**WECHAT, "encoding_aes_key": AES_KEY}
    reports = await reporting(instance, "wechat", "wechat_template", config)
    message = {
        "FromUserName": "o-1", "CreateTime": NOON // SECOND, "Event": "TEMPLATESENDJOBFINISH",
        "MsgID": "ref-1", "Status": "failed:user block",
    }  # fmt: skip

    def callback(app_id: str) -> Callback:
        inside = sealed(message, app_id)
        plain = signed({"Encrypt": inside})
        parts = sorted([TOKEN, plain.query["timestamp"], plain.query["nonce"], inside])
        signature = hashlib.sha1("".join(parts).encode()).hexdigest()
        return Callback("POST", {**plain.query, "msg_signature": signature}, {}, plain.body)

    assert (await reports.refused("wechat", callback("another app")))[0] == 401
    await reports.hear("wechat", callback(APP_ID))
    [(kind, said)] = reports.said()
    assert (kind, said["hard"], said["reason"]) == (
        "engagement.bounced", False, "failed:user block",
    )  # fmt: skip


async def test_an_old_message_of_wechat_cannot_be_pushed_again(instance: Instance) -> None:
    reports = await reporting(instance, "wechat", "wechat_subscribe", WECHAT)
    callback = signed({"Event": "unsubscribe", "FromUserName": "o-1", "CreateTime": 1})
    instance.now += 11 * MINUTE
    assert (await reports.refused("wechat", callback))[0] == 401
