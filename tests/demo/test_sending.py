"""Posting to a gateway that is busy, away, or finds fault."""

import json
import time
from collections.abc import Callable

import httpx
import pytest

from zhiyin.demo.errors import DemoError
from zhiyin.demo.gateway import Gateway, Rejection
from zhiyin.demo.sending import send

Answer = Callable[[httpx.Request], httpx.Response]


class Count:
    def __init__(self) -> None:
        self.events = 0

    def advance(self, events: int) -> None:
        self.events += events


def a_gateway(answer: Answer, patience: float = 10.0) -> Gateway:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://gateway")
    return Gateway(client, patience)


def some_events(count: int) -> list[bytes]:
    return [json.dumps({"event_id": str(number)}).encode() for number in range(count)]


def accepted(request: httpx.Request) -> httpx.Response:
    events = json.loads(request.content)["events"]
    return httpx.Response(202, json={"accepted": len(events), "rejected": [], "receipt": "r"})


async def test_what_a_busy_gateway_refuses_is_sent_again_until_all_is_in() -> None:
    taken: list[str] = []
    calls = 0

    def flaky(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        if calls % 3 == 1:
            return httpx.Response(503, headers={"Retry-After": "0"})
        if calls % 3 == 2:
            raise httpx.ReadTimeout("no answer", request=request)
        taken.extend(event["event_id"] for event in json.loads(request.content)["events"])
        return accepted(request)

    progress = Count()
    await send(a_gateway(flaky), iter(some_events(1200)), progress)
    assert sorted(taken, key=int) == [str(number) for number in range(1200)]
    assert progress.events == 1200


async def test_retry_after_is_honoured() -> None:
    times: list[float] = []

    def busy_once(request: httpx.Request) -> httpx.Response:
        times.append(time.monotonic())
        if len(times) == 1:
            return httpx.Response(429, headers={"Retry-After": "1"})
        return accepted(request)

    await send(a_gateway(busy_once), iter(some_events(1)), Count())
    assert times[1] - times[0] >= 1.0


async def test_a_gateway_that_stays_away_is_one_clear_line() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(DemoError, match="did not take POST /v1/events: refused"):
        await send(a_gateway(away, patience=0.3), iter(some_events(10)), Count())


async def test_a_wrong_key_is_told_at_once() -> None:
    with pytest.raises(DemoError, match="answered 401"):
        await send(a_gateway(lambda _: httpx.Response(401)), iter(some_events(1)), Count())


async def test_one_rejected_event_ends_the_demo() -> None:
    fault = {"index": 0, "event_id": "0", "code": "bad", "message": "no", "pointer": "/type"}

    def picky(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202, json={"accepted": 0, "rejected": [fault], "receipt": "r"})

    with pytest.raises(DemoError, match="rejected 1 events, first 0: bad no"):
        await send(a_gateway(picky), iter(some_events(1)), Count())


async def test_a_replay_goes_on_past_rejected_events_even_if_a_whole_batch_is_bad() -> None:
    error = {"pointer": "/events/0", "code": "unknown_type", "message": "no such type"}
    seen: list[Rejection] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"code": "none_valid", "errors": [error]})

    await send(a_gateway(refuse), iter(some_events(1)), Count(), on_rejected=seen.extend)
    assert [one.code for one in seen] == ["unknown_type"]


async def test_a_rate_is_kept() -> None:
    begun = time.monotonic()
    await send(a_gateway(accepted), iter(some_events(100)), Count(), rate=200)
    assert 0.4 < time.monotonic() - begun < 1.5


async def test_large_events_make_smaller_batches() -> None:
    sizes: list[int] = []

    def weigh(request: httpx.Request) -> httpx.Response:
        sizes.append(len(request.content))
        return accepted(request)

    events = [json.dumps({"event_id": str(n), "text": "x" * 100_000}).encode() for n in range(100)]
    await send(a_gateway(weigh), iter(events), Count())
    assert max(sizes) < 5_000_000
    assert len(sizes) > 1
