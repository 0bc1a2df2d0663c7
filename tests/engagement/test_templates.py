"""Texts in the words for a channel and a language, tried out on real customers."""

from typing import Any

import msgspec
import pytest

from services.engagement.domain.channels import Channel
from services.engagement.domain.faults import Faulty
from services.engagement.domain.sms_length import SmsLength, sms_length
from services.engagement.domain.templates import MessageTemplate, message_template
from tests.builders import an_update
from tests.engagement.calling import calling
from tests.engagement.harness import NOON, Instance, a_change, reachable
from zhiyin.contracts.campaigns import ChannelSpec, MessageTemplateSpec
from zhiyin.contracts.instants import MINUTE

SMS, EMAIL = Channel("sms", "aliyun_sms"), Channel("email", "smtp")
GREETING: dict[str, Any] = {
    "subject": "您好", "body": "{{ profile.attributes.name.value }}，好久不见",
    "template_id": "T-zh",
    "params": {"name": "{{ profile.attributes.name.value }}"},
    "variants": [
        {"language": "en", "subject": "Hello", "body": "Dear {{ profile.attributes.name.value }}"},
        {"channel": "sms", "body": "短"},
        {"channel": "sms", "language": "en", "body": "Short", "template_id": "T-en"},
        {"channel": "email", "html": "<p>{{ profile.attributes.name.value }}</p>"},
    ],
}  # fmt: skip


def made(**change: Any) -> MessageTemplate:
    return message_template("x", msgspec.convert({**GREETING, **change}, MessageTemplateSpec))


def values(language: str | None, name: str = "王小明") -> dict[str, Any]:
    said = {"name": {"value": name}, **({"language": {"value": language}} if language else {})}
    return {"profile": {"attributes": said}}


def test_the_words_are_those_of_the_persons_language_and_the_channel() -> None:
    template = made()

    def text(language: str | None, channel: Channel) -> tuple[str, str, str]:
        found = template.render(values(language), channel)
        return found.subject, found.text, found.template_id

    assert text(None, EMAIL) == ("您好", "王小明，好久不见", "T-zh")
    assert text("en-GB", EMAIL) == ("Hello", "Dear 王小明", "T-zh")
    assert text("zh-CN", SMS) == ("您好", "短", "T-zh")
    assert text("en", SMS) == ("Hello", "Short", "T-en")
    assert text("fr", SMS) == ("您好", "短", "T-zh")
    assert template.render(values("en"), SMS).language == "en"


def test_what_people_call_themselves_is_no_markup() -> None:
    found = made().render(values(None, "<script>alert(1)</script>"), EMAIL)
    assert "<script>" not in found.html
    assert "<script>" in found.text


def faults(**change: Any) -> list[tuple[str, str, int | None, int | None]]:
    with pytest.raises(Faulty) as caught:
        made(**change)
    return [(each.pointer, each.code, each.line, each.column) for each in caught.value.faults]


def test_a_text_that_is_not_liquid_is_refused_with_its_place() -> None:
    assert faults(body="好\n久 {% if %}x{% endif %}") == [("/body", "bad_template", 2, 6)]
    assert faults(body="a\n{% if x %} never ends") == [("/body", "bad_template", 2, 22)]
    assert faults(body="{{ name | shout }}") == [("/body", "unknown_filter", 1, 11)]
    assert faults(params={"a/b": "{% x %}"}) == [("/params/a~1b", "bad_template", 1, 4)]
    variants = [{"channel": "sms", "body": "{{"}, {"body": "x"}, {"channel": "sms", "body": "y"}]
    assert [each[:2] for each in faults(variants=variants)] == [
        ("/variants/0/body", "bad_template"),
        ("/variants/1", "required"),
        ("/variants/2", "twice"),
    ]


@pytest.mark.parametrize(
    ("text", "signature", "length"),
    [
        ("好" * 66, "知音", SmsLength(70, 1, 0)),
        ("好" * 67, "知音", SmsLength(71, 2, 63)),
        ("好" * 134, "", SmsLength(134, 2, 0)),
        ("好" * 135, "", SmsLength(135, 3, 66)),
        ("a" * 70, "", SmsLength(70, 1, 0)),
        ("🎁" * 35, "", SmsLength(70, 1, 0)),
    ],
)
def test_text_messages_are_counted_as_carriers_count(
    text: str, signature: str, length: SmsLength
) -> None:
    assert sms_length(text, signature) == length


async def people(instance: Instance) -> None:
    named = an_update(NOON - MINUTE, attributes={"name": "王小明", "language": "en"})
    unnamed = an_update(NOON - MINUTE, attributes={"city": "杭州"})
    await instance.deliver(
        a_change([named], profile_id="p-1", identifiers=reachable()),
        a_change([unnamed], profile_id="p-2", identifiers=reachable()),
    )


async def test_a_template_is_shown_as_a_customer_would_get_it(instance: Instance) -> None:
    await people(instance)
    await instance.put_template("hi", {**GREETING, "body": "{{ coupon.code }} {{ trigger.sku }}"})
    config = {"access_key_id": "k", "access_key_secret": "s", "sign_name": "知音"}
    await instance.settings.put_channel("sms", ChannelSpec("aliyun_sms", config))
    async with calling(instance) as api:
        asked = {"profile_id": "p-1", "channel": "sms", "instead": {"name": "王**"}}
        shown = (await api.post("/v1/templates/hi/preview", json=asked)).json()
        assert (shown["text"], shown["params"]) == ("Short", {"name": "王**"})
        assert shown["sms"] == {"characters": 9, "parts": 1, "left": 61}
        plain = (await api.post("/v1/templates/hi/preview", json={"profile_id": "p-2"})).json()
        assert plain["text"].startswith("SAMPLE")
        assert plain["missing"] == ["trigger.sku", "profile.attributes.name"]
        assert "coupon" in plain["assumed"]
        given = {"profile_id": "p-2", "context": {"trigger": {"sku": "A1"}}, "language": "en"}
        said = (await api.post("/v1/templates/hi/preview", json=given)).json()
        assert (said["subject"], said["language"]) == ("Hello", "en")


async def test_a_draft_is_shown_and_refused_like_one_that_is_kept(instance: Instance) -> None:
    await people(instance)
    async with calling(instance) as api:
        asked = {"profile_id": "p-1", "template": {"body": "{{ profile.attributes.name.value }}"}}
        assert (await api.post("/v1/templates/preview", json=asked)).json()["text"] == "王小明"
        wrong = {"profile_id": "p-1", "template": {"body": "a\n{{ b | c }}"}}
        [error] = (await api.post("/v1/templates/preview", json=wrong)).json()["errors"]
        assert (error["pointer"], error["line"], error["column"]) == ("/template/body", 2, 8)
        for bad, status in (
            ({"profile_id": "p-1"}, 422),
            ({"profile_id": "nobody", "template": {"body": "x"}}, 404),
            ({"profile_id": "p-1", "channel": "fax", "template": {"body": "x"}}, 422),
        ):
            assert (await api.post("/v1/templates/preview", json=bad)).status_code == status


async def test_a_sample_says_which_values_are_missing_for_how_many(instance: Instance) -> None:
    await people(instance)
    await instance.put_template("hi", GREETING)
    async with calling(instance) as api:
        found = (await api.post("/v1/templates/hi/check", json={"size": 50})).json()
        empty = (await api.post("/v1/templates/hi/check", json={"segment": "vip"})).json()
    assert (found["sampled"], found["failed"]) == (2, 0)
    assert found["missing"] == [
        {"variable": "profile.attributes.name", "people": 1, "share": 0.5, "example": "p-2"}
    ]
    assert found["languages"] == {"en": 1, "zh": 1}
    assert "profile.attributes.name.value" in found["variables"]
    assert (empty["sampled"], empty["missing"]) == (0, [])
