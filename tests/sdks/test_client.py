"""The Python client against a running gateway, and the recipe that is built on it."""

import asyncio
import importlib.util
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from zhiyin_client import (
    AsyncClient,
    Batching,
    BufferFull,
    Client,
    Event,
    Forbidden,
    InvalidRequest,
    NotFound,
    Profile,
    Rejected,
    Retrying,
    Taken,
    Unauthenticated,
    Unreachable,
)

from tests.sdks.fickle import fickle
from tests.sdks.telling import a_write_key
from tests.whole.platform import Platform

ROOT = Path(__file__).parents[2]
PATIENT = Retrying(attempts=12)
pytestmark = pytest.mark.timeout(900)


def a_purchase(number: int, member_id: str = "C1") -> Event:
    order = {"order_id": f"{member_id}-{number}", "total": "10.00"}
    return Event("purchase.completed", {"member_id": member_id}, order, source="client")


@pytest.fixture
def key(platform: Platform) -> str:
    return str(platform.client.headers["authorization"].removeprefix("Bearer "))


@pytest.fixture
def url(platform: Platform) -> str:
    return f"http://127.0.0.1:{platform.port}"


@pytest.fixture
async def zhiyin(url: str, key: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(url, key, retrying=PATIENT) as client:
        yield client


def test_what_is_sent_is_in_what_is_read_with_its_receipt(url: str, key: str) -> None:
    with Client(url, key, retrying=PATIENT) as zhiyin:
        bad = Event("purchase.completed", {"member_id": "C1"}, {"total": "1"})
        taken = zhiyin.send([a_purchase(1), bad, a_purchase(2)])
        [rejected] = taken.rejected
        assert rejected == Rejected(
            1, bad.event_id, "missing_field", rejected.message, "/events/1/properties/order_id"
        )
        person = zhiyin.profile_by("member_id", "C1", after=taken.receipt)
        assert (person.orders["count"], person.orders["total"]) == (2, "20.00")
        tagged = zhiyin.tag(person.profile_id, "vip")
        person = zhiyin.profile(person.profile_id, after=tagged.receipt)
        assert [tag.tag for tag in person.tags] == ["vip"]
        zhiyin.correct(person.profile_id, {"city": "杭州"})
        gone = zhiyin.untag(person.profile_id, "vip")
        person = zhiyin.profile(person.profile_id, after=gone.receipt)
        assert person.tags == []
        ordered = list(zhiyin.timeline(person.profile_id, type="purchase.completed", limit=1))
        assert len(ordered) == 2
        assert zhiyin.request("GET", "/v1/rfm")["fixed"]


def test_an_unchanged_profile_is_the_one_that_was_known(url: str, key: str) -> None:
    with Client(url, key, retrying=PATIENT) as zhiyin:
        receipt = zhiyin.send([a_purchase(1, "C2")]).receipt
        first = zhiyin.profile_by("member_id", "C2", after=receipt)
        assert first.etag
        assert zhiyin.profile_by("member_id", "C2", known=first) is first
        receipt = zhiyin.send([a_purchase(2, "C2")]).receipt
        later = zhiyin.profile_by("member_id", "C2", after=receipt, known=first)
        assert later.version > first.version


async def test_the_asynchronous_client_has_the_same_calls(zhiyin: AsyncClient) -> None:
    receipt = (await zhiyin.send([a_purchase(n, "C3") for n in range(3)])).receipt
    person = await zhiyin.profile_by("member_id", "C3", after=receipt)
    other = (await zhiyin.send([a_purchase(9, "C4")])).receipt
    absorbed = await zhiyin.profile_by("member_id", "C4", after=other)
    merged = await zhiyin.merge(person.profile_id, absorbed.profile_id)
    person = await zhiyin.profile(person.profile_id, after=merged.receipt)
    assert person.orders["count"] == 4
    assert len([event async for event in zhiyin.timeline(person.profile_id, limit=2)]) >= 4


async def test_refusals_are_a_tree_of_errors(zhiyin: AsyncClient, url: str) -> None:
    with pytest.raises(NotFound):
        await zhiyin.profile("00000000-0000-0000-0000-000000000000")
    with pytest.raises(InvalidRequest) as refused:
        await zhiyin.send([Event("purchase.completed", {}, {})])
    assert refused.value.errors[0].pointer == "/events/0/customer"
    assert len(refused.value.trace_id) == 32
    async with AsyncClient(url, "zk_nobody") as nobody:
        with pytest.raises(Unauthenticated):
            await nobody.send([a_purchase(1)])
    async with AsyncClient("http://127.0.0.1:9", "k", retrying=Retrying(attempts=1)) as away:
        with pytest.raises(Unreachable):
            await away.send([a_purchase(1)])


async def test_a_key_without_the_scope_is_forbidden(platform: Platform, url: str) -> None:
    async with AsyncClient(url, await a_write_key(platform, "writer")) as writer:
        with pytest.raises(Forbidden):
            await writer.profile_by("member_id", "C1")


async def test_batches_count_once_through_refusals_and_lost_answers(
    platform: Platform, zhiyin: AsyncClient, key: str
) -> None:
    gone = asyncio.Event()
    gone.set()  # the third attempt is cut off at once
    taken: list[Taken] = []
    async with fickle(platform.port, gone) as proxy:

        def tell() -> None:
            with (
                Client(proxy.url, key, retrying=PATIENT) as client,
                client.batching(size=10, seconds=60, taken=taken.append) as batch,
            ):
                for number in range(25):
                    batch.add(a_purchase(number, "C5"))
                batch.flush()
                batch.add(a_purchase(99, "C5"))

        await asyncio.to_thread(tell)
    assert proxy.told[:3] == [429, 503, 0]
    assert sum(each.accepted for each in taken) == 26
    person = await zhiyin.profile_by("member_id", "C5", after=taken[-1].receipt)
    async with asyncio.timeout(120):
        while person.orders["count"] != 26:
            person = await zhiyin.profile_by("member_id", "C5")
            assert person.orders["count"] <= 26


async def test_an_asynchronous_batch_is_sent_at_the_end(zhiyin: AsyncClient) -> None:
    taken: list[Taken] = []
    async with zhiyin.batching(size=2, taken=taken.append) as batch:
        for number in range(3):
            batch.add(a_purchase(number, "C6"))
    assert sum(each.accepted for each in taken) == 3


def test_at_the_end_of_the_program_nothing_is_left_unsent(url: str, key: str) -> None:
    program = f"""
from zhiyin_client import Client, Event
client = Client({url!r}, {key!r})
batch = client.batching(seconds=3600, taken=lambda taken: print(taken.accepted))
batch.add(Event("custom.ended", {{"member_id": "C7"}}))
"""
    folder = ROOT / "clients" / "python"
    ended = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True)
    assert ended.stdout.split() == [b"1"], ended.stderr


def test_a_batch_holds_only_so_many_and_only_what_json_can_say() -> None:
    def never(_: Any) -> Taken:
        raise AssertionError

    batch = Batching(never, most=1, seconds=3600)
    with pytest.raises(TypeError):
        batch.add(Event("custom.x", {"member_id": "C8"}, {"what": object()}))
    batch._waiting.append(a_purchase(1))
    with pytest.raises(BufferFull):
        batch.add(a_purchase(2))
    batch._waiting.clear()
    batch.close()


@pytest.mark.parametrize(
    ("attempt", "again", "status", "retry_after", "wait"),
    [
        (1, True, None, None, 0.2), (3, True, 503, None, 0.8), (20, True, 503, None, 10.0),
        (1, True, 429, 7, 7.1), (1, True, 429, 3600, None), (30, True, 503, None, None),
        (1, True, 400, None, None), (1, True, 200, None, None), (1, False, 503, None, None),
        (1, False, None, None, None), (1, False, 429, 2, 2.1),
    ],
)  # fmt: skip
def test_waits_grow_and_what_may_not_be_done_twice_is_not(
    attempt: int, again: bool, status: int | None, retry_after: int | None, wait: float | None
) -> None:
    retrying = Retrying(attempts=25)
    most = retrying.wait(attempt, again, status, retry_after, lambda: 1.0)
    assert most == (None if wait is None else pytest.approx(wait))


async def test_the_recipe_of_the_mini_program_works(
    url: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wechat = FastAPI()

    @wechat.get("/sns/jscode2session")
    async def jscode2session(js_code: str) -> dict[str, Any]:
        if js_code != "good":
            return {"errcode": 40029, "errmsg": "invalid code"}
        return {"openid": "o-1", "unionid": "u-1", "session_key": "k"}

    monkeypatch.setenv("ZHIYIN", url)
    monkeypatch.setenv("ZHIYIN_KEY", key)
    monkeypatch.setenv("WECHAT", "http://wechat")
    monkeypatch.setenv("WECHAT_APPID", "a")
    monkeypatch.setenv("WECHAT_SECRET", "s")
    page = (ROOT / "docs" / "recipes" / "mini-program.md").read_text()
    backend = _loaded(page.split("```python\n")[1].split("```")[0], tmp_path / "backend.py")
    http = httpx.AsyncClient
    towards = httpx.ASGITransport(app=wechat)
    monkeypatch.setattr(backend.httpx, "AsyncClient", lambda: http(transport=towards))
    async with http(transport=httpx.ASGITransport(app=backend.app), base_url="http://app") as app:
        assert (await app.post("/session", params={"code": "bad"})).status_code == 401
        begun = await app.post("/session", params={"code": "good"})
        session = {"session": begun.json()["session"]}
        first = await _page(app, session)
        assert first["orders"] == 0
        await app.post("/orders", json={"order_id": "W-1", "total": "66.00"}, headers=session)
        second = await _page(app, session)
        assert (second["orders"], second["spent"]) == (1, "66.00")
        known: Profile = backend.sessions[session["session"]].known
        assert (await _page(app, session))["version"] == second["version"]
        assert known.etag
    await backend.zhiyin.close()


async def _page(app: httpx.AsyncClient, session: dict[str, str]) -> dict[str, Any]:
    """The person's page, asked for again while a loaded machine says to."""
    async with asyncio.timeout(120):
        while (answer := await app.get("/me", headers=session)).status_code == 503:
            await asyncio.sleep(0.2)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _loaded(code: str, path: Path) -> Any:
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("backend", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["backend"] = module
    spec.loader.exec_module(module)
    return module
