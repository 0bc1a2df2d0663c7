"""What was decided reaches its receiver once by its id, whatever the receiver does."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from services.engagement.domain.delivery import retry_after
from services.engagement.senders.places import BadPlace, Places, target
from tests.builders import an_event, an_update
from tests.engagement.harness import NOON, Instance, a_change, reachable
from tests.engagement.receiver import SECRET, Receiver, a_receiver, until
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.instants import MINUTE, SECOND

SEARCHED = an_event("browse.searched", NOON - MINUTE, query="nuts")
Steps = list[Mapping[str, Any]]


async def a_channel(instance: Instance, receiver: Receiver, name: str = "erp") -> None:
    config = {"url": receiver.url, "secret": SECRET}
    await instance.settings.put_channel(name, ChannelSpec("webhook", config))


async def a_campaign(instance: Instance, *steps: Mapping[str, Any], **change: Any) -> None:
    trigger = {"on": "event", "type": "browse.searched"}
    spec = {"key": "calling", "name": "x", "trigger": trigger, "steps": list(steps), **change}
    await instance.launch(spec)


async def arrive(instance: Instance, number: int = 1) -> None:
    await instance.deliver(
        *(a_change([SEARCHED], profile_id=f"p-{n}", identifiers=reachable()) for n in range(number))
    )


@asynccontextmanager
async def delivering(*instances: Instance) -> AsyncIterator[None]:
    """Deliverers at work, none of which waits long before it tries again."""
    working = [asyncio.create_task(each.deliverer.run()) for each in instances]
    hurrying = asyncio.create_task(_hurry(instances[0]))
    try:
        yield
    finally:
        hurrying.cancel()
        for each in instances:
            await each.deliverer.stop()
        await asyncio.gather(*working)


async def _hurry(instance: Instance) -> None:
    """What is put off comes due; what is leased, for half a minute at least, stays leased."""
    while True:
        await asyncio.sleep(0.1)
        instance.now += 5 * SECOND
        await instance.fetch(
            "UPDATE delivery SET next_at = now() WHERE next_at < now() + interval '20 seconds'"
        )
        instance.deliverer.wake()


async def settled(instance: Instance) -> None:
    async with asyncio.timeout(20):
        while await instance.fetch("SELECT 1 FROM delivery"):
            await asyncio.sleep(0.02)


CALL = {"webhook": {"channel": "erp", "data": {"note": "call them"}}}


async def test_a_webhook_is_signed_and_carries_the_action(instance: Instance) -> None:
    async with a_receiver() as receiver:
        await a_channel(instance, receiver)
        await a_campaign(instance, CALL)
        await arrive(instance)
        async with delivering(instance):
            await settled(instance)
        [headers], [body] = receiver.seen, receiver.bodies
    said = msgspec.json.decode(body)
    [decided] = instance.decided
    assert said["type"] == "action.webhook"
    assert said["action_id"] == headers["webhook-id"] == decided.action_id
    assert (said["profile_id"], said["campaign"], said["step"]) == ("p-0", "calling", "0")
    assert said["data"] == {"note": "call them", "trigger": {"query": "nuts"}}
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    signed = Webhook(SECRET).sign(headers["webhook-id"], at, body.decode())
    assert headers["webhook-signature"] == signed
    attributes = {name: headers[f"ce-{name}"] for name in ("specversion", "type", "subject")}
    assert attributes == {
        "specversion": "1.0",
        "type": "action.webhook",
        "subject": "profile_id:p-0",
    }
    assert (headers["ce-id"], headers["ce-source"]) == (said["action_id"], "/campaigns/calling")
    assert await instance.outcomes("p-0") == [("webhook", "sent", None)]


async def test_every_action_arrives_once_by_id_though_the_receiver_fails_hangs_and_pushes_back(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    trouble = [
        (500, {}),
        (429, {"retry-after": "1"}),
        (503, {}),
        1.5,
        0.0,
        (302, {"location": "/"}),
    ]
    async with a_receiver(*trouble) as receiver:
        await a_channel(one, receiver)
        await a_campaign(one, CALL)
        await arrive(one, 30)
        async with delivering(one, two):
            await settled(one)
        assert receiver.taken == dict.fromkeys((each.action_id for each in one.decided), 1)
        assert len(receiver.seen) == 30 + len(trouble)
    states = await one.fetch("SELECT DISTINCT state, reason FROM action")
    assert [tuple(state) for state in states] == [("sent", None)]


async def test_a_dead_destination_slows_no_other(instance: Instance) -> None:
    async with a_receiver(*[30.0] * 100) as dead, a_receiver() as alive:
        await a_channel(instance, dead, "dead")
        await a_channel(instance, alive, "alive")
        await a_campaign(
            instance, {"webhook": {"channel": "dead"}}, {"webhook": {"channel": "alive"}}
        )
        await arrive(instance, 100)
        async with delivering(instance):
            await until(lambda: alive.taken.total() == 100)
            waiting = await instance.fetch("SELECT count(*) FROM delivery WHERE channel = 'dead'")
    assert waiting[0][0] == 100


async def test_410_disables_the_channel(instance: Instance) -> None:
    async with a_receiver((410, {})) as receiver:
        await a_channel(instance, receiver)
        await a_campaign(instance, CALL)
        await arrive(instance)
        async with delivering(instance):
            await settled(instance)
        assert await instance.outcomes("p-0") == [("webhook", "failed", "answered 410 Gone")]
        await instance.deliver(a_change([SEARCHED], profile_id="later"))
    assert await instance.outcomes("later") == [("webhook", "skipped", "no_reachable_channel")]


async def test_consent_withdrawn_after_deciding_stops_the_message(instance: Instance) -> None:
    async with a_receiver() as receiver:
        await a_channel(instance, receiver, "sms")
        await a_campaign(instance, {"message": {"template": "win-back-2", "channel": "sms"}})
        await arrive(instance)
        refused = an_update(NOON, consents={"marketing.sms": False})
        await instance.deliver(
            a_change([SEARCHED, refused], profile_id="p-0", identifiers=reachable())
        )
        async with delivering(instance):
            await settled(instance)
        assert receiver.seen == []
    assert await instance.outcomes("p-0") == [("message", "skipped", "consent")]


async def test_erasure_after_deciding_stops_the_message(instance: Instance) -> None:
    async with a_receiver() as receiver:
        await a_channel(instance, receiver)
        await a_campaign(instance, CALL)
        await arrive(instance)
        await instance.deliver(a_change([], profile_id="p-0", causes=[], erased=True))
        async with delivering(instance):
            await settled(instance)
        assert receiver.seen == []


async def test_a_merge_after_deciding_only_delays_the_call(instance: Instance) -> None:
    async with a_receiver() as receiver:
        await a_channel(instance, receiver)
        await a_campaign(instance, CALL)
        await arrive(instance)
        await instance.deliver(a_change([], profile_id="p-0", causes=[], merged_into="p-9"))
        async with delivering(instance):
            await asyncio.sleep(0.5)
            assert receiver.seen == []
            kept = a_change([SEARCHED], profile_id="p-9", causes=[], merged_from=["p-0"])
            await instance.deliver(kept)
            await settled(instance)
        assert receiver.taken.total() == 1


async def test_a_paused_campaign_holds_its_sends_and_a_launched_one_releases_them(
    instance: Instance,
) -> None:
    async with a_receiver() as receiver:
        await a_channel(instance, receiver)
        await a_campaign(instance, CALL)
        await arrive(instance)
        await instance.editor.move("calling", "pause", "test")
        async with delivering(instance):
            await asyncio.sleep(0.5)
            assert receiver.seen == []
            await instance.editor.move("calling", "launch", "test")
            await settled(instance)
        assert receiver.taken.total() == 1


async def test_an_address_that_is_not_public_is_not_called(instance: Instance) -> None:
    async with a_receiver() as receiver:
        await a_channel(instance, receiver)
        await a_campaign(instance, CALL)
        await arrive(instance)
        instance.places.__init__([])  # type: ignore[misc]
        async with delivering(instance):
            await settled(instance)
        assert receiver.seen == []
    [(_, state, reason)] = await instance.outcomes("p-0")
    assert state == "failed"
    assert "not a public address" in str(reason)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.8", "169.254.169.254", "192.168.1.1", "0.0.0.0", "100.64.0.1",
        "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "224.0.0.1", "255.255.255.255", "localhost",
    ],
)  # fmt: skip
async def test_places_inside_are_refused(host: str) -> None:
    with pytest.raises(BadPlace):
        await Places([]).resolve(host, 80)


async def test_places_inside_are_fine_when_they_are_allowed() -> None:
    assert await Places(["10.0.0.0/8"]).resolve("10.1.2.3", 80) == "10.1.2.3"
    assert await Places(["localhost"]).resolve("localhost", 80) in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com", "file:///etc/passwd", "https://", "https://u:p@example.com/",
        "http://example.com:99999", "http://exa mple.com", "http://[::1", "gopher://x",
        "https://例子.com/", "", "//example.com",
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(BadPlace):
        target(url)


def test_retries_are_spread_and_heed_what_the_receiver_asks() -> None:
    first = {retry_after(1, f"a-{n}") for n in range(100)}
    assert min(first) >= 1.5 * SECOND
    assert max(first) <= 2.5 * SECOND
    assert len(first) > 50
    assert retry_after(1, "a", 60 * SECOND) == 60 * SECOND
    assert retry_after(1, "a", 10**15) == 6 * 60 * MINUTE
    assert 11 * MINUTE <= retry_after(60, "a") <= 19 * MINUTE
