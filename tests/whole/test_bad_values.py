"""Every call of the API, with values nobody should send: refused below 500, told as a problem, and
nothing of what was there before is lost."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.gateway.posted import a_purchase
from tests.whole import nonsense
from tests.whole.platform import Platform

AT_ONCE = 8
Operation = tuple[str, str, dict[str, Any]]  # method, path, what OpenAPI says of it


@dataclass(frozen=True)
class Surface:
    """All calls, and something sound for each name in a path."""

    platform: Platform
    operations: list[Operation]
    known: dict[str, str]

    def path(self, template: str, **other: str) -> str:
        """With sound names, but for `other`; `key` means something else in each collection."""
        names = {**self.known, "key": self.known.get(template.split("/")[2], "none"), **other}
        return re.sub(r"\{(\w+)\}", lambda found: names.get(found[1], "none"), template)


@pytest.fixture(scope="module")
async def surface(platform: Platform) -> AsyncIterator[Surface]:
    document = (await platform.ask("GET", "/openapi.json")).json()
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    person = await platform.a_person("M-sound")
    bystander = await platform.a_person("M-bystander")
    rule = {"fact": "orders.count", "op": "gte", "value": 1}
    await platform.ask("PUT", "/v1/tag-rules/sound", {"rule": rule})
    known = {
        "code": await a_coupon(platform, person["profile_id"]),
        "profile_id": person["profile_id"], "namespace": "member_id", "value": "M-sound",
        "tag": "sound", "name": "inbox", "id": "00000000-0000-0000-0000-000000000000",
"segments": "dormant-90d", "campaigns": "win-back-90d",
        "templates": "win-back", "coupon-templates": "back-30",
    }  # fmt: skip
    yield Surface(platform, operations, known)
    after = (await platform.ask("GET", f"/v1/profiles/{bystander['profile_id']}")).json()
    assert after["orders"] == bystander["orders"], "whom no call named is as they were"
    built_in = (await platform.ask("GET", "/v1/segments")).json()["items"]
    assert len([each for each in built_in if each["key"] == "dormant-90d"]) == 1
    assert (await platform.ask("GET", "/v1/dead-letters")).json()["items"] == []
    assert platform.errors() == []


async def a_coupon(platform: Platform, profile_id: str) -> str:
    """The code of the one that a first order brings."""
    async with asyncio.timeout(60):
        while True:
            found = await platform.ask("GET", f"/v1/profiles/{profile_id}/coupons")
            if items := found.json()["items"]:
                return str(items[0]["code"])
            await asyncio.sleep(0.1)


async def none_fails(calls: Iterable[Awaitable[str | None]]) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def one(call: Awaitable[str | None]) -> str | None:
        async with room:
            return await call

    found = await asyncio.gather(*map(one, calls))
    assert len(found) > 100
    assert [complaint for complaint in found if complaint] == []


async def complaint(
    surface: Surface, method: str, path: str, content: bytes | None = None, **headers: str
) -> str | None:
    """What is wrong with the answer, if anything: our failure, or a refusal without reason."""
    sent = {"content-type": "application/json", **headers}
    raw = [(name, value.encode("latin-1")) for name, value in sent.items()]
    answer = await _answer(surface.platform.client, method, path, content, raw)
    if answer.status_code < 400 or _is_sound_refusal(answer):
        return None
    shown = (content or b"")[:200]
    return f"{method} {path[:200]} {shown!r} {headers}: {answer.status_code} {answer.text[:300]}"


async def _answer(client: httpx.AsyncClient, *request: Any) -> httpx.Response:
    """A kept connection may be closed just when it is used again: then once more on a new one."""
    try:
        return await _read(client, *request)
    except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
        return await _read(client, *request)


async def _read(client: httpx.AsyncClient, *request: Any) -> httpx.Response:
    method, path, content, headers = request
    async with client.stream(method, path, content=content, headers=headers) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):  # endless
            await answer.aread()
        return answer


def _is_sound_refusal(answer: httpx.Response) -> bool:
    if answer.headers["content-type"] != "application/problem+json" or len(answer.content) > 20_000:
        return False
    problem = answer.json()
    told = problem["code"] and problem["message"] and "x-injected" not in answer.headers
    return bool(told) and problem["status"] == answer.status_code < 500


async def test_no_name_in_a_path_is_a_failure(surface: Surface) -> None:
    calls, texts = [], itertools.cycle(nonsense.IN_PATH)
    for method, template, operation in surface.operations:
        for name in re.findall(r"\{(\w+)\}", template):
            for text in itertools.islice(texts, 8):
                path = surface.path(template, **{name: text})
                body = b"{}" if "requestBody" in operation else None
                calls.append(complaint(surface, method, path, body))
    await none_fails(calls)


async def test_no_query_is_a_failure(surface: Surface) -> None:
    calls = []
    for method, template, operation in surface.operations:
        path = surface.path(template)
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                name = parameter["name"]
                texts = [*nonsense.IN_QUERY, *(nonsense.cursors() if name == "cursor" else ())]
                calls += [complaint(surface, method, f"{path}?{name}={text}") for text in texts]
    await none_fails(calls)


def bodies(surface: Surface) -> list[tuple[str, str, Any]]:
    """(method, path, sound body) of every call that takes one."""
    found = []
    for method, template, operation in surface.operations:
        if content := operation.get("requestBody", {}).get("content"):
            sound = content["application/json"]["example"]
            found.append((method, surface.path(template), sound))
    assert len(found) >= 15
    return found


async def test_no_value_in_a_body_is_a_failure(surface: Surface) -> None:
    await none_fails(
        complaint(surface, method, path, nonsense.encoded(body))
        for method, path, sound in bodies(surface)
        for body in nonsense.changed(sound)
    )


async def test_nothing_that_is_no_json_is_a_failure(surface: Surface) -> None:
    await none_fails(
        complaint(surface, method, path, raw)
        for method, path, _ in bodies(surface)
        for raw in nonsense.RAW
    )


async def test_no_way_of_sending_is_a_failure(surface: Surface) -> None:
    await none_fails(
        complaint(surface, method, path, raw, **headers)
        for method, path, _ in bodies(surface)
        for headers, raw in nonsense.SENT_WRONGLY
    )


async def test_the_sound_events_of_a_bad_batch_are_taken_and_the_others_told_by_place(
    surface: Surface,
) -> None:
    sound = [a_purchase(f"M-batch-{number}") for number in range(3)]
    bad = [a_purchase(occurred_at=value) for value in nonsense.VALUES]
    mixed = [bad[0], sound[0], *bad[1:10], sound[1], *bad[10:], sound[2]]
    answer = await surface.platform.client.post(
        "/v1/events", content=nonsense.encoded({"events": mixed})
    )
    said = answer.json()
    assert answer.status_code == 202, said
    assert said["accepted"] == 3
    assert [each["index"] for each in said["rejected"]] == [
        index for index, event in enumerate(mixed) if event not in sound
    ]
    assert all(each["code"] and each["message"] and each["pointer"] for each in said["rejected"])
    for event in sound:
        read = await surface.platform.ask(
            "GET", f"/v1/profiles/by/member_id/{event['customer']['member_id']}",
            params={"after": said["receipt"]},
        )  # fmt: skip
        assert read.json()["orders"]["count"] == 1


async def test_no_key_is_a_failure(platform: Platform) -> None:
    for authorization in (
        "", "Bearer", "Bearer ", "Bearer zk_", f"Bearer {'x' * 5_000}", "Bearer zk_\0", "Basic",
        "Basic !!", "Basic AAAA", "Basic Og==", "Digest x", "Bearer \xe9", "Bearer ' OR 1=1 --",
    ):  # fmt: skip
        try:
            headers = [(b"authorization", authorization.encode("latin-1"))]
            answer = await platform.client.get("/v1/segments", headers=headers)
        except httpx.LocalProtocolError:
            continue  # no client sends that
        assert answer.status_code in (400, 401), (authorization, answer.text)
