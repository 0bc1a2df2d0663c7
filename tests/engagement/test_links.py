"""Links in messages: only those we issued lead anywhere, and what people do there is told."""

import re
from dataclasses import dataclass
from typing import Any

import pytest

from services.engagement.domain.channels import Channel
from services.engagement.domain.ids import action_id
from services.engagement.domain.links import CODE_PATTERN, Issuer, code_of
from services.engagement.domain.templates import message_template
from services.engagement.domain.wording import Said, worded
from services.engagement.visits import Visits
from tests.builders import an_event
from tests.engagement.harness import NOON, PUBLIC, Instance, a_change, reachable
from tests.engagement.test_delivery import a_campaign
from zhiyin.contracts.campaigns import MessageTemplateSpec
from zhiyin.contracts.instants import DAY, MINUTE
from zhiyin.contracts.visits import Visit, Visited, VisitKind

SEARCHED = an_event("browse.searched", NOON - MINUTE, query="nuts")
MESSAGE = action_id("c", 1, "o", "p", "0")
SURVEY = {
    "title": {"zh": "说说您的想法", "en": "Tell us"},
    "question": {"zh": "最近没来的原因是？", "en": "Why not lately?"},
    "reasons": [
        {"key": "price", "text": {"zh": "价格偏高", "en": "The price"}},
        {"key": "effect", "text": {"zh": "没感到效果", "en": "No effect"}},
    ],
    "thanks": {"zh": "谢谢您！", "en": "Thank you!"},
}
EMAIL, SMS = Channel("email", "smtp"), Channel("sms", "log")


def say(channel: Channel, body: str, html: str = "", **spec: Any) -> Said:
    template = message_template("x", MessageTemplateSpec(body, html=html, **spec))
    issuer = Issuer(PUBLIC, b"key", {"why": 14 * DAY})
    return worded(template, channel, {}, "marketing", issuer, MESSAGE, NOON)


def test_every_address_in_a_text_leads_past_us_and_a_full_stop_stays_outside() -> None:
    said = say(SMS, "看 https://shop.example/a?b=1&c=2。或 http://x.example/y.")
    codes = re.findall(f"{PUBLIC}/r/({CODE_PATTERN})", said.data["text"])
    assert [link.url for link in said.links if link.code in codes] == [
        "https://shop.example/a?b=1&c=2", "http://x.example/y"
    ]  # fmt: skip
    assert said.data["text"].endswith(".")
    assert "shop.example" not in said.data["text"]
    assert say(SMS, "https://shop.example", track=False).data["text"] == "https://shop.example"


def test_a_mail_can_be_left_with_one_click_and_tells_that_it_was_opened() -> None:
    said = say(EMAIL, "hi", '<a href="https://shop.example/?a=1&amp;b=2">shop</a>')
    assert re.fullmatch(f"{PUBLIC}/u/{CODE_PATTERN}", said.data["unsubscribe"])
    assert re.search(f'<img src="{PUBLIC}/o/{CODE_PATTERN}.gif"', said.data["html"])
    urls = {link.purpose.partition(":")[0]: link.url for link in said.links}
    assert urls == {"url": "https://shop.example/?a=1&b=2", "leave": "", "open": ""}
    assert "unsubscribe" not in say(SMS, "hi").data


def test_only_links_that_are_mentioned_are_issued() -> None:
    assert say(SMS, "hi").links == ()
    [link] = say(SMS, "{{ surveys['why'] }}").links
    assert (link.purpose, link.expires_at) == ("survey:why", NOON + 14 * DAY)


def test_codes_differ_by_message_purpose_and_key() -> None:
    other = action_id("c", 1, "o", "p", "1")
    made = {
        code_of(key, message, purpose)
        for key in (b"one", b"two")
        for message in (MESSAGE, other)
        for purpose in ("open", "leave")
    }
    assert len(made) == 8
    assert all(re.fullmatch(CODE_PATTERN, code) for code in made)


@dataclass
class Visitor:
    """Somebody who was sent a message with links, and follows them."""

    instance: Instance
    codes: dict[str, str]
    action_id: str

    async def go(
        self, kind: VisitKind, code: str | None = None, form: dict[str, str] | None = None,
        languages: str = "", *, looks: bool = True,
    ) -> Visited:  # fmt: skip
        one = self.instance
        visits = Visits(one.db, one.teller, one.links.key, one.clock)
        code = self.codes[kind] if code is None else code
        acts = form is not None
        return await visits.take(Visit(kind, code, acts, looks, languages, form or {}))

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        return self.instance.told.said()


@pytest.fixture
async def visitor(instance: Instance) -> Visitor:
    await instance.put_survey("why", SURVEY)
    body = "{{ surveys['why'] }} {{ links.unsubscribe }} https://shop.example/nuts"
    await instance.put_template("all", {"body": body})
    await a_campaign(instance, {"message": {"template": "all", "channel": "sms"}})
    await instance.deliver(a_change([SEARCHED], profile_id="p-0", identifiers=reachable()))
    [decided] = instance.decided
    rows = await instance.fetch("SELECT purpose, code FROM link")
    letters = {"survey": "s", "url": "r", "leave": "u"}
    codes = {letters[purpose.partition(":")[0]]: code for purpose, code in rows}
    return Visitor(instance, codes, decided.action_id)


async def test_a_click_leads_on_and_counts_once(visitor: Visitor) -> None:
    assert await visitor.go("r") == Visited(302, location="https://shop.example/nuts")
    await visitor.go("r")
    assert (await visitor.go("r", looks=False)).status == 302
    [(kind, said)] = visitor.said()
    assert (kind, said["url"]) == ("engagement.clicked", "https://shop.example/nuts")
    assert (said["action_id"], said["channel"]) == (visitor.action_id, "sms")


async def test_a_code_nobody_issued_and_one_for_something_else_lead_nowhere(
    visitor: Visitor,
) -> None:
    code = visitor.codes["s"]
    tampered = code[:-1] + ("0" if code[-1] != "0" else "1")
    for found in (
        await visitor.go("s", tampered), await visitor.go("r", "00000000000"),
        await visitor.go("r", code), await visitor.go("u", code), await visitor.go("s", "x" * 300),
    ):  # fmt: skip
        assert found.status == 404
        assert "链接无效" in found.html
    await visitor.instance.fetch("UPDATE link SET purpose = 'leave' WHERE code = $1", code)
    assert (await visitor.go("u", code)).status == 404, "the code is for one purpose only"
    assert visitor.said() == []


async def test_looking_at_the_page_is_not_leaving_but_one_click_is(visitor: Visitor) -> None:
    assert "确认退订" in (await visitor.go("u")).html
    assert visitor.said() == []
    assert (await visitor.go("u", form={"List-Unsubscribe": "One-Click"})).status == 200
    await visitor.go("u", form={})
    about = {"action_id": visitor.action_id, "channel": "sms"}
    assert visitor.said() == [("engagement.unsubscribed", about)]


async def test_an_answer_to_the_survey_is_an_event_and_is_given_once(visitor: Visitor) -> None:
    page = await visitor.go("s", languages="en-GB,zh;q=0.5")
    assert (page.status, "The price" in page.html) == (200, True)
    assert "<script" not in page.html
    again = await visitor.go("s", form={"reason": "none of these"})
    assert (again.status, "请选择一项" in again.html) == (422, True)
    thanks = await visitor.go("s", form={"reason": "price", "comment": " 太贵 "})
    assert (thanks.status, "谢谢您" in thanks.html) == (200, True)
    for form in ({"reason": "effect"}, None):
        replayed = await visitor.go("s", form=form)
        assert (replayed.status, "已经回答" in replayed.html) == (410, True)
    assert visitor.said() == [("custom.survey_answered", {
        "survey": "why", "reason": "price", "action_id": visitor.action_id,
        "campaign": "calling", "comment": "太贵",
    })]  # fmt: skip
    [event] = visitor.instance.told.events.values()
    assert event.customer == {"profile_id": "p-0"}


async def test_a_survey_whose_time_is_over_says_so(visitor: Visitor) -> None:
    visitor.instance.now += 15 * DAY
    for form in (None, {"reason": "price"}):
        found = await visitor.go("s", form=form)
        assert (found.status, "已过期" in found.html) == (410, True)
    assert visitor.said() == []
