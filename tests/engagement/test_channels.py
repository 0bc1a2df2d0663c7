"""Best channel, best hour, what is tried next, and what stops a message that was queued."""

import asyncio
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from services.engagement.domain.best_hour import best_hour
from services.engagement.domain.channels import Channel, Unreachable, choose, ranked
from services.engagement.domain.playbooks.shelf import LIBRARY
from services.engagement.playbooks import Playbooks
from tests.builders import an_event, an_update
from tests.engagement.harness import NOON, Instance, a_change, a_crossing, reachable
from tests.engagement.providers import tencent
from tests.engagement.receiver import a_receiver, until
from tests.engagement.test_delivery import (
    SEARCHED,
    a_campaign,
    a_channel,
    arrive,
    delivering,
    settled,
)
from tests.people import snapshot_of
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, SECOND, moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHANNELS = {
    each.name: each
    for each in (
        Channel("sms", "aliyun_sms"), Channel("mail", "smtp"), Channel("email", "log"),
        Channel("staff", "wecom"), Channel("inbox", "inbox"), Channel("erp", "webhook"),
    )
}  # fmt: skip
BOTH = reachable(email={"em_1": ""})
MESSAGE = {"message": {"template": "win-back-2", "channel": "auto"}}


def names(**facts: Any) -> list[str]:
    found = ranked(snapshot_of(**{"identifiers": BOTH, **facts}), "marketing", CHANNELS)
    return [] if isinstance(found, Unreachable) else [each.channel.name for each in found]


def test_the_best_channel_is_the_one_a_person_responds_to() -> None:
    assert names() == ["sms", "email", "inbox"], "one of each medium; staff are no customers"
    heard = {"sms": {"delivered": 30, "opened": 1}, "inbox": {"delivered": 10, "clicked": 4}}
    assert names(activity=heard) == ["inbox", "email", "sms"]
    assert names(activity={"sms": {"bounced": 1}}) == ["email", "inbox", "sms"]


def test_an_address_from_which_messages_came_back_is_used_no_more() -> None:
    assert names(bounced={"phone:ph_token": NOON}) == ["email", "inbox"]
    person = snapshot_of(identifiers=BOTH, bounced={"email:em_1": NOON})
    found = choose("mail", person, "transactional", CHANNELS)
    assert found == Unreachable("no_reachable_channel", "no address for mail")


def test_a_consent_is_about_the_medium_whatever_the_channel_is_called() -> None:
    refused = snapshot_of(identifiers=BOTH, activity={"email": {"unsubscribed": 1}})
    found = choose("mail", refused, "marketing", CHANNELS)
    assert found == Unreachable("consent", "marketing.email refused")


def hours(**at: int) -> tuple[int, ...]:
    """`d0h20=9`: nine events Mondays at 20:00."""
    found = [0] * 168
    for name, count in at.items():
        day, hour = name[1:].split("h")
        found[int(day) * 24 + int(hour)] = count
    return tuple(found)


def test_the_best_hour_is_when_a_person_has_been_most_active() -> None:
    # NOON is a Monday.
    found = best_hour(hours(d0h20=9, d3h8=5), NOON, SHANGHAI, lambda _: True)
    assert found is not None
    assert moment(found.at).astimezone(SHANGHAI).isoformat() == "2026-03-02T20:00:00+08:00"
    assert found.why == "9 of 14 events between 20:00 and 20:59"
    early = best_hour(hours(d0h20=9, d3h8=5), NOON, SHANGHAI, lambda at: at > NOON + 12 * HOUR)
    assert early is not None
    assert moment(early.at).astimezone(SHANGHAI).hour == 8
    assert best_hour(hours(d0h12=20), NOON + MINUTE, SHANGHAI, lambda _: True) is None, "it is now"
    assert best_hour(hours(d0h20=5), NOON, SHANGHAI, lambda _: True) is None, "too little is known"


async def test_a_message_waits_for_the_best_hour_once(instance: Instance) -> None:
    step = {"message": {**MESSAGE["message"], "when": "best_hour"}}
    await a_campaign(instance, step)
    change = a_change([SEARCHED], profile_id="p-0", identifiers=reachable(), hours=hours(d0h20=20))
    await instance.deliver(change)
    assert await instance.outcomes("p-0") == [("message", "deferred", "best_hour")]
    await instance.fire_due(NOON + 9 * HOUR)
    assert await instance.outcomes("p-0") == [("message", "decided", None)]


async def test_what_cannot_reach_one_channel_goes_out_on_the_next_best(
    instance: Instance,
) -> None:
    async with a_receiver((422, {})) as dead, a_receiver() as alive:
        await a_channel(instance, dead, "sms")
        await a_channel(instance, alive, "inbox")
        await instance.settings.put_channel("email", ChannelSpec("log"))
        await a_campaign(instance, MESSAGE)
        await arrive(instance)
        async with delivering(instance):
            await settled(instance)
        [item] = await instance.history("p-0")
        assert (item.channel, item.state) == ("inbox", "sent")
        assert [each["channel"] for each in item.why["channels"]] == ["sms", "inbox"]
        assert item.data["tried"] == [{"channel": "sms", "reason": "answered 422"}]
        assert b"fallback" not in alive.bodies[0]
        assert alive.taken.total() == 1


async def test_what_somebody_has_withdrawn_stops_what_is_queued_within_five_seconds(
    instance: Instance,
) -> None:
    async with a_receiver(*[2.0] * 8) as slow:
        await a_channel(instance, slow, "sms")
        await a_campaign(instance, {"message": {"template": "win-back-2", "channel": "sms"}})
        await arrive(instance, 40)
        async with delivering(instance):
            await until(lambda: len(slow.seen) >= 8)
            refused = an_update(NOON, consents={"marketing": False})
            await instance.deliver(
                *(
                    a_change([SEARCHED, refused], profile_id=f"p-{n}", identifiers=reachable())
                    for n in range(40)
                )
            )
            began = len(slow.seen)
            async with asyncio.timeout(60):
                await settled(instance)
        assert len(slow.seen) <= began, "not one was sent after that"
    states = await instance.fetch("SELECT reason, count(*) FROM action GROUP BY 1 ORDER BY 2")
    assert ("consent", 40 - slow.taken.total()) in [tuple(each) for each in states]


async def test_a_quota_that_is_used_up_rests_the_channel_until_it_begins_anew(
    instance: Instance,
) -> None:
    async with tencent() as provider:
        provider.answers = [{"errcode": 45009, "errmsg": "reach max api daily quota limit"}]
        config = {"app_id": "wx1", "app_secret": "app-secret", "api": provider.url}
        await instance.settings.put_channel("wechat", ChannelSpec("wechat_subscribe", config))
        await instance.put_template("sub", {"body": "x", "template_id": "T1"})
        await a_campaign(instance, {"message": {"template": "sub", "channel": "wechat"}})

        async def meet(number: int) -> None:
            openid = {"openid": {f"o-{number}": ""}}
            person = a_change([SEARCHED], profile_id=f"p-{number}", identifiers=openid)
            await instance.deliver(person)

        await meet(0)
        working = asyncio.create_task(instance.deliverer.run())
        async with asyncio.timeout(20):
            while not await instance.fetch(
                "SELECT 1 FROM delivery WHERE next_at > now() + interval '1 hour'"
            ):
                await asyncio.sleep(0.02)
        asked = len(provider.asked)
        await meet(1)
        await asyncio.sleep(1.0)  # it would have been claimed by now
        await instance.deliverer.stop()
        await working
        assert len(provider.asked) == asked
        assert await instance.outcomes("p-1") == [("message", "decided", None)]


@pytest.mark.parametrize(
    ("reason", "template", "coupon"),
    [
        ("price", "survey-price", "member-12-off"),
        ("effect", "survey-effect", "trial-pack"),
        ("substitute", "survey-substitute", None),
        ("other", "survey-other", None),
    ],
)
async def test_the_reason_a_survey_gives_picks_the_offer(
    instance: Instance, reason: str, template: str, coupon: str | None
) -> None:
    await instance.end_built_in()
    await Playbooks(instance.db, instance.editor, instance.clock).install(
        "win-back-survey", "test", launch=False
    )
    [ready] = [each for each in LIBRARY if each.key == "win-back-survey"]
    everybody = msgspec.structs.replace(ready.spec, key="asking", holdout=0.0)
    await instance.launch(msgspec.to_builtins(everybody))
    person = {"profile_id": "p-1", "identifiers": reachable()}
    await instance.deliver(a_change([an_event("browse.searched", NOON - DAY, query="x")], **person))
    await instance.deliver(a_crossing())
    [asked] = [each for each in instance.decided if each.kind == "message"]
    assert b"/s/" in bytes(asked.data)
    instance.now = NOON + 2 * DAY
    answer = an_event(
        "custom.survey_answered", instance.now - SECOND, survey="win-back", reason=reason
    )
    await instance.deliver(a_change([answer], **person))
    items = [each for each in await instance.history() if each.state in ("decided", "sent")]
    assert [each.template for each in items if each.kind == "message"] == ["survey-ask", template]
    assert [each.template for each in items if each.kind == "coupon"] == (
        [coupon] if coupon else []
    )
