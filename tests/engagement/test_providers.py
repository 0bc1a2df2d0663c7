"""SMS, WeChat and WeCom as their providers speak: signatures, tokens, codes, quotas."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from services.engagement.domain.channels import Channel
from services.engagement.domain.delivery import tomorrow
from services.engagement.domain.ids import action_id
from services.engagement.senders.acs import signed
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Rests, Retry, Sent
from tests.engagement.harness import NOON, Instance
from tests.engagement.providers import KEY_ID, KEY_SECRET, Provider, aliyun, tencent
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.instants import HOUR, MINUTE

SMS = {"access_key_id": KEY_ID, "access_key_secret": KEY_SECRET, "sign_name": "知音"}
WECHAT = {"app_id": "wx1", "app_secret": "app-secret"}
APP = {"corp_id": "ww1", "agent_id": 7, "app_secret": "app-secret"}
DATA = {"template_id": "SMS_1", "params": {"name": "王", "code": "A&B"}, "text": "回来看看"}


async def send(
    instance: Instance, kind: str, config: Mapping[str, Any], number: int = 1, **change: Any
) -> Attempt:
    made = msgspec.convert({"kind": kind, "config": config}, ChannelSpec)
    checked, _ = instance.settings._channels.checked(made, None)
    parcel = Parcel(
        **{
            "action_id": action_id("c", 1, "o", f"p-{number}", "0"),
            "profile_id": f"p-{number}", "campaign": "c", "step": "0", "kind": "message",
            "data": DATA, "addresses": (("openid", "o-1"),), "traceparent": "",
            **change,
        }
    )  # fmt: skip
    sender = instance.senders[kind]
    return await sender.send(Channel("x", kind, msgspec.json.encode(checked)), parcel)


async def sms(instance: Instance, provider: Provider, **change: Any) -> Attempt:
    instance.addresses.known = {"ph_1": "+8613800001111", "ph_2": "+85291234567"}
    config = {**SMS, "endpoint": provider.url}
    given = {"addresses": (("phone", "ph_1"),), **change}
    return await send(instance, "aliyun_sms", config, **given)


def test_a_request_is_signed_as_alibabas_own_library_signed_it() -> None:
    """The signature is what alibabacloud_tea_openapi 0.4.6 made of the same request."""
    query = {
        "PhoneNumbers": "13800001111", "SignName": "知音", "TemplateCode": "SMS_1",
        "TemplateParam": """{"code":"A&B ~*'"}""", "OutId": "a-1",
    }  # fmt: skip
    _, headers = signed(
        "https://dysmsapi.aliyuncs.com", "SendSms", "2017-05-25", query,
        key_id=KEY_ID, secret=KEY_SECRET, date="2026-03-02T04:00:00Z", nonce="n-1",
    )  # fmt: skip
    assert headers["authorization"].rpartition("Signature=")[2] == (
        "a6615c980cfed29babc1820a8b2e8197c9bf1264c078ea0f0f5d8d9deaf39462"
    )


async def test_a_text_message_is_signed_and_names_what_was_approved(instance: Instance) -> None:
    async with aliyun() as provider:
        assert await sms(instance, provider) == Sent("b-1")
        assert await sms(instance, provider, addresses=(("phone", "ph_2"),)) == Sent("b-1")
    at_home, abroad = provider.taken
    assert (at_home["PhoneNumbers"], abroad["PhoneNumbers"]) == ("13800001111", "85291234567")
    assert (at_home["SignName"], at_home["TemplateCode"]) == ("知音", "SMS_1")
    assert msgspec.json.decode(at_home["TemplateParam"]) == DATA["params"]
    assert at_home["OutId"] == str(action_id("c", 1, "o", "p-1", "0"))


async def test_a_text_message_of_which_nothing_was_heard_is_asked_about_before_it_is_repeated(
    instance: Instance,
) -> None:
    async with aliyun() as provider:
        provider.answers = [{"Code": "lost"}]
        assert isinstance(await sms(instance, provider), Retry)
        assert await sms(instance, provider, attempts=2) == Sent()
        assert len(provider.taken) == 1
        assert await sms(instance, provider, attempts=2, number=2) == Sent("b-1")
    assert len(provider.taken) == 2


@pytest.mark.parametrize(
    ("said", "attempt"),
    [
        ({"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发分钟级流控Permits:1"},
         Retry("isv.BUSINESS_LIMIT_CONTROL: 触发分钟级流控Permits:1", MINUTE, ailing=False)),
        ({"Code": "isv.BUSINESS_LIMIT_CONTROL", "Message": "触发小时级流控Permits:5"},
         Retry("isv.BUSINESS_LIMIT_CONTROL: 触发小时级流控Permits:5", HOUR, ailing=False)),
        ({"Code": "isv.DAY_LIMIT_CONTROL", "Message": "m"},
         Rests("isv.DAY_LIMIT_CONTROL: m", tomorrow(NOON))),
        ({"Code": "isv.MOBILE_NUMBER_ILLEGAL"},
         Failed("isv.MOBILE_NUMBER_ILLEGAL", bounced="phone:ph_1")),
        ({"Code": "isv.SMS_TEMPLATE_ILLEGAL", "Message": "m"},
         Failed("isv.SMS_TEMPLATE_ILLEGAL: m")),
        ({"Code": "isv.SMS_SIGNATURE_ILLEGAL", "Message": "m"},
         Failed("isv.SMS_SIGNATURE_ILLEGAL: m")),
        ({"Code": "isv.AMOUNT_NOT_ENOUGH", "Message": "m"}, Retry("isv.AMOUNT_NOT_ENOUGH: m")),
        ({"Code": "isp.SYSTEM_ERROR", "Message": "m"}, Retry("isp.SYSTEM_ERROR: m")),
        ({"Code": "Throttling.User", "Message": "m", "status": 400}, Retry("Throttling.User: m")),
    ],
)  # fmt: skip
async def test_what_the_sms_provider_says_is_understood(
    instance: Instance, said: dict[str, Any], attempt: Attempt
) -> None:
    async with aliyun() as provider:
        provider.answers = [said]
        assert await sms(instance, provider) == attempt


async def test_a_wrong_key_is_the_accounts_trouble_and_no_messages(instance: Instance) -> None:
    async with aliyun() as provider:
        config = {**SMS, "access_key_secret": "wrong", "endpoint": provider.url}
        instance.addresses.known = {"ph_1": "+8613800001111"}
        found = await send(instance, "aliyun_sms", config, addresses=(("phone", "ph_1"),))
    assert isinstance(found, Retry)
    assert found.reason.startswith("SignatureDoesNotMatch")


async def test_a_subscribe_message_carries_its_template_and_page(instance: Instance) -> None:
    async with tencent() as provider:
        data = {"template_id": "T1", "params": {"thing1": "坚果"}, "page": "pages/a?x=1"}
        config = {**WECHAT, "api": provider.url}
        assert await send(instance, "wechat_subscribe", config, data=data) == Sent("1")
        assert await send(instance, "wechat_template", config, data=data) == Sent("2")
    subscribed, templated = provider.taken
    assert subscribed == {
        "touser": "o-1", "template_id": "T1", "page": "pages/a?x=1", "lang": "zh_CN",
        "miniprogram_state": "formal", "data": {"thing1": {"value": "坚果"}},
    }  # fmt: skip
    assert templated["url"] == "pages/a?x=1"
    assert templated["client_msg_id"]
    assert provider.paths().count("/cgi-bin/stable_token") == 1, "one token serves both"


async def test_a_token_that_has_ended_is_renewed_once_by_one_of_two_instances(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    async with tencent() as provider:
        config = {**WECHAT, "api": provider.url}
        assert await send(one, "wechat_subscribe", config) == Sent("1")
        assert await send(two, "wechat_subscribe", config) == Sent("2")
        provider.answers = [{"errcode": 42001, "errmsg": "access_token expired"}]
        sent = await asyncio.gather(
            *(send(each, "wechat_subscribe", config, n) for n in range(4) for each in (one, two))
        )
    assert {type(each) for each in sent} == {Sent}
    forced = [
        msgspec.json.decode(each.body)["force_refresh"]
        for each in provider.asked
        if each.target == "/cgi-bin/stable_token"
    ]
    assert forced == [False, True]
    stored = await one.fetch("SELECT token FROM provider_token")
    assert b"t-2" not in stored[0][0], "it is kept sealed"


async def test_a_token_refused_although_it_is_new_is_not_asked_for_for_ever(
    instance: Instance,
) -> None:
    async with tencent() as provider:
        provider.answers = [{"errcode": 40001, "errmsg": "invalid credential"}] * 2
        found = await send(instance, "wechat_subscribe", {**WECHAT, "api": provider.url})
    assert isinstance(found, Retry)
    assert len(provider.asked) == 4


@pytest.mark.parametrize(
    ("said", "attempt"),
    [
        ({"errcode": 43101, "errmsg": "user refuse to accept the msg"},
         Failed("43101 user refuse to accept the msg", withdrawn="wechat.SMS_1")),
        ({"errcode": 45009, "errmsg": "reach max api daily quota limit"},
         Rests("45009 reach max api daily quota limit", tomorrow(NOON))),
        ({"errcode": 48001, "errmsg": "api unauthorized"},
         Failed("48001 api unauthorized", gone=True)),
        ({"errcode": 47003, "errmsg": "argument invalid!"}, Failed("47003 argument invalid!")),
        ({"errcode": -1, "errmsg": "system error"}, Retry("-1 system error")),
        ({"errcode": 45011, "errmsg": "api minute-quota reach limit"},
         Rests("45011 api minute-quota reach limit", NOON + MINUTE)),
    ],
)  # fmt: skip
async def test_what_wechat_says_is_understood(
    instance: Instance, said: dict[str, Any], attempt: Attempt
) -> None:
    async with tencent() as provider:
        provider.answers = [said]
        assert await send(instance, "wechat_subscribe", {**WECHAT, "api": provider.url}) == attempt


async def test_of_several_openids_the_one_that_is_this_apps_is_found(instance: Instance) -> None:
    async with tencent() as provider:
        provider.answers = [{"errcode": 40003, "errmsg": "invalid openid"}]
        both = (("openid", "o-other"), ("openid", "o-mine"))
        config = {**WECHAT, "api": provider.url}
        assert await send(instance, "wechat_subscribe", config, addresses=both) == Sent("1")
    assert [each["touser"] for each in provider.taken] == ["o-mine"]


async def test_an_app_of_wecom_writes_to_the_adviser_the_profile_names(instance: Instance) -> None:
    async with tencent() as provider:
        config = {**APP, "to_attribute": "adviser", "api": provider.url}
        provider.answers = [
            {"errcode": 0, "errmsg": "ok"},
            {"errcode": 0, "errmsg": "ok", "invaliduser": "zhang"},
        ]
        advised = {"attributes": {"adviser": "zhang"}}
        assert await send(instance, "wecom", config, **advised) == Sent("1")
        found = await send(instance, "wecom", config, 2, **advised)
        assert found == Failed("no such member: zhang")
        nobody = await send(instance, "wecom", config, 3)
    assert nobody == Failed("no member in the attribute adviser")
    assert provider.taken[0]["text"] == {"content": "回来看看"}
    assert provider.taken[0]["enable_duplicate_check"] == 1


async def test_a_robot_of_wecom_is_not_sent_more_than_it_takes(instance: Instance) -> None:
    async with tencent() as provider:
        config = {"robot_key": "k", "api": provider.url}
        sent = [await send(instance, "wecom", config, number) for number in range(21)]
        assert [type(each) for each in sent] == [Sent] * 20 + [Rests]
        assert sent[-1] == Rests("20 a minute", NOON + MINUTE)
        instance.now += MINUTE
        provider.answers = [{"errcode": 45009, "errmsg": "api freq out of limit"}]
        found = await send(instance, "wecom", config)
        assert found == Rests("45009 api freq out of limit", NOON + 2 * MINUTE)
        provider.answers = [{"errcode": 93000, "errmsg": "invalid webhook url"}]
        gone = await send(instance, "wecom", config)
    assert gone == Failed("93000 invalid webhook url", gone=True)
