"""Live streams, over real connections: nothing lost, nothing twice, no matter which gateway."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn

from services.gateway.app import gateway_app
from services.gateway.domain.apikeys import key_id
from services.gateway.live.following import Following, Pace
from services.gateway.live.places import place_of, positions_of
from services.gateway.live.streams import STREAMS
from services.gateway.settings import GatewaySettings
from tests.gateway.harness import Running, running
from tests.gateway.posted import a_purchase
from zhiyin.contracts.actions import ActionDecided
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.contracts.topics import ACTION_DECIDED, SEGMENT_CHANGED
from zhiyin.runtime.log import Message, Partition, Record, Tail
from zhiyin.runtime.log.postgres import PostgresLog

EVENTS, SEGMENTS, ACTIONS = STREAMS


@asynccontextmanager
async def served(gateway: Running) -> AsyncIterator[str]:
    """The gateway on a port of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = gateway_app(gateway.gateway)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve([listener]))
    gateway.gateway.listeners.closing = False
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        gateway.gateway.listeners.close()
        server.should_exit = True
        await serving


class Heard:
    """The server-sent events of one connection, read one by one."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()
        self.id = ""

    async def next(self, name: str | None = None) -> Any:
        """The data of the next event; signs of life are passed over."""
        async with asyncio.timeout(20):
            fields: dict[str, str] = {}
            async for line in self._lines:
                if line:
                    field, _, value = line.partition(": ")
                    fields[field] = value
                    continue
                self.id = fields.get("id", self.id)
                if "data" in fields:
                    assert name in (None, fields["event"])
                    return msgspec.json.decode(fields["data"])
                fields = {}
        raise EOFError

    async def ended(self) -> bool:
        try:
            await self.next()
        except EOFError:
            return True
        return False


@asynccontextmanager
async def listening(
    url: str, stream: str, key: dict[str, str], last: str = "", **filters: str
) -> AsyncIterator[Heard]:
    headers = {**key, "last-event-id": last} if last else key
    async with (
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{url}/v1/live/{stream}", headers=headers, params=filters) as answer,
    ):
        if answer.status_code != 200:
            await answer.aread()
        yield Heard(answer)


async def post(gateway: Running, *event_ids: str, **customer: str) -> None:
    headers = await gateway.key("events:write")
    events = [a_purchase(event_id=event_id, **customer) for event_id in event_ids]
    answer = await gateway.client.post("/v1/events", headers=headers, json={"events": events})
    assert answer.status_code == 202, answer.text


async def test_a_listener_goes_on_at_another_gateway_and_misses_and_repeats_nothing(
    gateway: Running, settings: GatewaySettings
) -> None:
    key = await gateway.key("ops:read")
    async with running(settings) as other:
        async with served(gateway) as first, listening(first, "events", key) as heard:
            assert heard.answer.headers["content-type"].startswith("text/event-stream")
            await post(gateway, "live-1", "live-2", "live-3")
            seen = [(await heard.next("event"))["event_id"] for _ in range(2)]
            place = heard.id
        await post(gateway, "live-4", "live-5")
        async with served(other) as second, listening(second, "events", key, place) as heard:
            seen += [(await heard.next("event"))["event_id"] for _ in range(3)]
            await post(other, "live-6")
            seen.append((await heard.next("event"))["event_id"])
    assert sorted(seen) == [f"live-{n}" for n in range(1, 7)]


async def test_what_is_personal_is_masked_and_filters_hold(gateway: Running) -> None:
    key = await gateway.key("admin", "profiles:read_pii")
    chosen = {"type": "purchase.completed,customer.updated", "customer": "member_id:M-live"}
    async with served(gateway) as url, listening(url, "events", key, **chosen) as heard:
        await post(gateway, "live-no", member_id="M-other")
        writer = await gateway.key("events:write")
        update = {
            "event_id": "live-yes",
            "type": "customer.updated",
            "occurred_at": "2026-11-11T00:00:03+08:00",
            "customer": {"member_id": "M-live", "phone": "+8613800001111"},
            "properties": {"attributes": {"name": "张小明", "city": "杭州"}},
        }
        await gateway.client.post("/v1/events", headers=writer, json=update)
        told = await heard.next("event")
    assert told["event_id"] == "live-yes"
    assert told["customer"] == {"member_id": "M-live", "phone": "138****1111"}
    assert told["properties"]["attributes"] == {"name": "张**", "city": "杭州"}


def a_move(segment: str, profile_id: str) -> Message:
    move = SegmentChanged("m", profile_id, segment, "entered", 5, 2_000_005, "event", 1, 1)
    return Message(SEGMENT_CHANGED, profile_id, encode(move))


def an_action(campaign: str) -> Message:
    action = ActionDecided(
        "a-1", "p1", campaign, 1, "o", "s", "message", "sms", "marketing", "why", 5
    )
    return Message(ACTION_DECIDED, "p1", encode(action))


async def test_moves_between_segments_and_actions_are_told(gateway: Running) -> None:
    key = await gateway.key("segments:read", "campaigns:read")
    async with (
        served(gateway) as url,
        listening(url, "segments", key, segment="vip") as moves,
        listening(url, "actions", key, campaign="win-back") as actions,
    ):
        await gateway.log.append(
            [a_move("dormant", "p1"), Message(SEGMENT_CHANGED, "p1", b"broken")]
        )
        await gateway.log.append([a_move("vip", "p1"), an_action("other"), an_action("win-back")])
        move = await moves.next("segment")
        action = await actions.next("action")
    assert (move["segment"], move["change"], move["delay_seconds"]) == ("vip", "entered", 2.0)
    assert (action["campaign"], action["channel"], action["why"]) == ("win-back", "sms", "why")


async def test_the_state_of_the_platform_is_told_again_and_again(gateway: Running) -> None:
    key = await gateway.key("ops:read")
    gateway.behind.answer = (200, {"service": "profile", "instance": "profile-1", "pid": 1})
    async with served(gateway) as url, listening(url, "system", key) as heard:
        first, second = await heard.next("system"), await heard.next("system")
    assert first["services"]["profile"]["instances"]
    assert second["as_of"] > first["as_of"]


async def test_who_may_not_listen_is_refused_and_who_may_no_longer_is_let_go(
    gateway: Running,
) -> None:
    admin, key = await gateway.key("admin"), await gateway.key("segments:read")
    bound = {"authorization": "Bearer " + await bound_key(gateway, admin)}
    async with served(gateway) as url:
        for stream, headers, status in (
            ("events", key, 403),
            ("actions", bound, 403),
            ("segments", {}, 401),
        ):
            async with listening(url, stream, headers) as heard:
                assert heard.answer.status_code == status, stream
        async with listening(url, "segments", key) as heard:
            gone = key_id(key["authorization"].removeprefix("Bearer "))
            await gateway.client.delete(f"/v1/keys/{gone}", headers=admin)
            assert (await heard.next("closed"))["code"] == "unauthenticated"
            assert await heard.ended()


async def bound_key(gateway: Running, admin: dict[str, str]) -> str:
    spec = {"scopes": ["campaigns:read"], "brands": ["acme"]}
    made = await gateway.client.post("/v1/keys", headers=admin, json=spec)
    return str(made.json()["key"])


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"last_event_id": "nonsense"}, 400, "invalid_last_event_id"),
        ({"last_event_id": "AAAA" * 3000}, 422, "invalid_query"),
        ({"segmnet": "vip"}, 422, "unknown_filter"),
        ({"segment": ""}, 422, "unknown_filter"),
    ],
)
async def test_bad_questions_are_refused(
    gateway: Running, query: dict[str, str], status: int, code: str
) -> None:
    key = await gateway.key("segments:read")
    answer = await gateway.client.get("/v1/live/segments", headers=key, params=query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_gateway_that_stops_lets_its_listeners_go(gateway: Running) -> None:
    key = await gateway.key("ops:read")
    async with served(gateway) as url, listening(url, "events", key) as heard:
        gateway.gateway.listeners.close()
        assert await heard.ended()


class CountingTail:
    """Says how many records were read ahead."""

    read = 0

    def __init__(self, tail: Tail) -> None:
        self._tail = tail
        self.start, self.stop = tail.start, tail.stop

    async def fetch(self, limit: int, wait: float) -> Sequence[Record]:
        found = await self._tail.fetch(limit, wait)
        CountingTail.read += len(found)
        return found


class CountingLog(PostgresLog):
    def tail(self) -> Tail:
        return CountingTail(super().tail())


async def test_a_listener_who_does_not_read_is_waited_for(
    settings: GatewaySettings, fresh_redis: str
) -> None:
    count = 3000
    async with running(settings, log_type=CountingLog) as gateway:
        key = await gateway.key("segments:read")
        moves = [a_move("vip" + "x" * 5000, f"p{n}") for n in range(count)]
        async with served(gateway) as url, listening(url, "segments", key) as heard:
            await gateway.log.append(moves)
            before = -1
            async with asyncio.timeout(20):
                while before != CountingTail.read or not before:
                    before = CountingTail.read
                    await asyncio.sleep(0.5)
            assert before < count
            told = {(await heard.next("segment"))["profile_id"] for _ in range(count)}
    assert len(told) == count


class ScriptedTail:
    """A log whose oldest records are gone, and in which nothing happens."""

    async def start(self, positions: dict[Partition, int]) -> dict[Partition, int]:
        return {partition: max(position, 7) for partition, position in positions.items()}

    async def stop(self) -> None: ...

    async def fetch(self, limit: int, wait: float) -> Sequence[Record]:
        return ()


async def test_records_no_longer_kept_are_told_as_a_gap_and_silence_moves_the_id_on() -> None:
    positions = {Partition(SEGMENT_CHANGED, 0): 4, Partition(SEGMENT_CHANGED, 1): 9}
    moved = {Partition(SEGMENT_CHANGED, 0): 7, Partition(SEGMENT_CHANGED, 1): 9}
    following = Following(SEGMENTS, ScriptedTail(), positions, {}, Pace(heartbeat=0.0))  # type: ignore[arg-type]
    texts = following.told()
    said = [(await anext(texts)).decode() for _ in range(3)]
    await texts.aclose()
    place = place_of(SEGMENTS.topics, moved)
    assert said[0].startswith("retry: ")
    assert said[1] == f'id: {place}\nevent: gap\ndata: {{"records":3}}\n\n'
    assert said[2] == f": still here\nid: {place}\n\n"


def test_an_id_is_read_back_by_its_own_stream_only() -> None:
    positions = {Partition(SEGMENT_CHANGED, n): n * 10**9 for n in range(8)}
    place = place_of(SEGMENTS.topics, positions)
    assert positions_of(SEGMENTS.topics, place) == positions
    assert positions_of(ACTIONS.topics, place) is None
    assert positions_of(EVENTS.topics, place[:-1]) is None
