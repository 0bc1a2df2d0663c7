"""One trace from the request that posts an event to the webhook that tells of what it led to."""

import asyncio
import secrets

from tests.engagement.receiver import SECRET, Receiver, a_receiver, until
from tests.gateway.posted import an_event
from tests.whole.collector import Collector
from tests.whole.platform import Platform

# What leads to the webhook, each the parent of the next. A message between services carries the
# trace of the event that caused it, so that reading it is a step beside this way.
WAY = [
    "zhiyin-gateway: POST /v1/events",
    "zhiyin-profile: profile events.browse",
    "zhiyin-engagement: deliver webhook",
]


async def a_campaign_that_calls(platform: Platform, receiver: Receiver) -> None:
    config = {"url": receiver.url, "secret": SECRET}
    channel = {"kind": "webhook", "config": config}
    campaign = {
        "key": "traced", "name": "traced", "purpose": "transactional", "holdout": 0,
        "trigger": {"on": "event", "type": "browse.searched", "where": {"query": "traced"}},
        "steps": [{"webhook": {"channel": "traced"}}],
    }  # fmt: skip
    for method, path, body in (
        ("PUT", "/v1/channels/traced", channel),
        ("POST", "/v1/campaigns", campaign),
        ("POST", "/v1/campaigns/traced/approve", None),
        ("POST", "/v1/campaigns/traced/launch", None),
    ):
        answer = await platform.ask(method, path, body)
        assert answer.status_code < 300, (path, answer.text)


async def test_one_trace_leads_from_the_posted_event_to_the_webhook(
    platform: Platform, collector: Collector
) -> None:
    trace, first = secrets.token_hex(16), secrets.token_hex(8)
    async with a_receiver() as receiver:
        await a_campaign_that_calls(platform, receiver)
        posted = await platform.ask(
            "POST",
            "/v1/events",
            an_event("browse.searched", {"query": "traced"}),
            headers={"traceparent": f"00-{trace}-{first}-01"},
        )
        assert posted.status_code == 202, posted.text
        assert posted.headers["x-trace-id"] == trace
        await until(lambda: receiver.taken.total() == 1, 60)
    (seen,) = receiver.seen
    assert seen["traceparent"].startswith(f"00-{trace}-")
    for _ in range(300):  # spans are sent a little later
        if collector.way_to(seen["traceparent"]) == WAY:
            break
        await asyncio.sleep(0.1)
    assert collector.way_to(seen["traceparent"]) == WAY, collector.spans[trace]
    names = {span.name for span in collector.spans[trace].values()}
    assert {"engagement profile.changed", "segmentation profile.changed"} <= names
    (oldest,) = (span for span in collector.spans[trace].values() if span.parent == first)
    assert oldest.service == "zhiyin-gateway"
