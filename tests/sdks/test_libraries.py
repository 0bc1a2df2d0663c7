"""The libraries of Segment and RudderStack, unmodified, against a running gateway through refusals,
lost answers and a restart: each event is in the profile, and none twice."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.sdks.fickle import Fickle, fickle
from tests.sdks.telling import (
    a_shop,
    a_write_key,
    looking_at,
    run,
    story_of,
    until_drained,
    until_told,
)
from tests.whole.platform import Platform

STORY = Counter(
    {
        "customer.updated": 1,
        "purchase.completed": 1,
        "browse.carted": 1,
        "custom.领取_会员卡": 1,
        "browse.viewed": 2,
        "custom.group": 1,
        "customer.linked": 1,
    }
)
SERVERS = ("segment_python.py", "rudder_python.py", "segment_node.mjs", "rudder_node.mjs")
BROWSERS = ("segment_browser.html", "rudder_browser.html")

pytestmark = pytest.mark.timeout(900)


async def test_servers_reach_the_profile_once_whatever_the_gateway_did(
    platform: Platform, node: str
) -> None:
    async with before(platform, SERVERS) as met, asyncio.TaskGroup() as running:
        for script, proxy in met.items():
            command = [sys.executable] if script.endswith(".py") else [node]
            key = await a_write_key(platform, script)
            running.create_task(run(command, script, proxy.url, key, f"U-{script}"))
        await restarted(platform, met.values())
    await until_drained(platform)
    for script, proxy in met.items():
        person = await told_once(platform, script, proxy)
        assert proxy.paths == {"/v1/batch"}
        assert person["identifiers"]["anonymous_id"] == [f"a-U-{script}"]


async def test_browsers_reach_the_profile_once_whatever_the_gateway_did(
    platform: Platform, node: str, chromium: str
) -> None:
    async with before(platform, BROWSERS) as met, AsyncExitStack() as open_pages:
        shop = open_pages.enter_context(a_shop())
        for page, proxy in met.items():
            key = await a_write_key(platform, page)
            asked = urlencode({"host": proxy.url, "key": key, "user": f"U-{page}"})
            address = f"{shop}/clients/{page}?{asked}"
            await open_pages.enter_async_context(looking_at(address, node, chromium))
        await restarted(platform, met.values())
        for page in met:
            await until_told(platform, f"U-{page}", STORY.total())
    await until_drained(platform)
    for page, proxy in met.items():
        person = await told_once(platform, page, proxy)
        assert len(person["identifiers"]["anonymous_id"]) == 1


@asynccontextmanager
async def before(platform: Platform, clients: Iterable[str]) -> AsyncIterator[dict[str, Fickle]]:
    """A fickle way to the gateway for each."""
    gone = asyncio.Event()
    async with AsyncExitStack() as stack:
        yield {
            client: await stack.enter_async_context(fickle(platform.port, gone))
            for client in clients
        }


async def restarted(platform: Platform, met: Iterable[Fickle]) -> None:
    """Kills the gateway once every client has met all the rest, and starts it again."""
    async with asyncio.timeout(280):
        for proxy in met:
            await proxy.met_all.wait()
    await platform.kill_gateway()
    for proxy in met:
        proxy.gone.set()
    await platform.start_gateway()


async def told_once(platform: Platform, client: str, proxy: Fickle) -> dict[str, Any]:
    """The person a client told of, with its whole story and nothing twice."""
    assert proxy.told[:3] == [429, 503, 0], client
    assert 200 in proxy.told, client
    person, story = await story_of(platform, f"U-{client}")
    assert story == STORY, client
    assert (person["orders"]["count"], person["orders"]["total"]) == (1, "259.00")
    assert person["attributes"]["city"]["value"] == "杭州"
    assert person["identifiers"]["email"] == ["u***@example.com"]
    return person
