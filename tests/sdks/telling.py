"""Runs libraries as programs of their own, and reads what of their story is in the profiles."""

import asyncio
import threading
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.whole.platform import Platform

CLIENTS = Path(__file__).parent / "clients"
_LONGEST = 280.0


async def a_write_key(platform: Platform, name: str) -> str:
    made = await platform.ask("POST", "/v1/keys", {"scopes": ["events:write"], "name": name})
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


async def run(command: Sequence[str], script: str, *words: str) -> None:
    """Until the program has ended, which it does when it has sent everything."""
    await _ended(await _started(command, script, *words), script)


@asynccontextmanager
async def looking_at(page: str, node: str, chromium: str) -> AsyncIterator[None]:
    """Somebody has a page open in a browser of their own."""
    process = await _started([node], "browser.mjs", chromium, page)
    try:
        yield
    finally:
        await _ended(process, page)


async def _started(command: Sequence[str], script: str, *words: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *command, str(CLIENTS / script), *words, stdin=PIPE, stdout=PIPE, stderr=STDOUT
    )


async def _ended(process: Process, what: str) -> None:
    try:
        output, _ = await asyncio.wait_for(process.communicate(b""), _LONGEST)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, (what, output.decode())
    assert b"lost" not in output, (what, output.decode())


async def until_drained(platform: Platform) -> None:
    """Until every event in the log is applied, repeated ones too."""
    async with asyncio.timeout(_LONGEST):
        while True:
            services = (await platform.ask("GET", "/v1/system")).json()["services"]
            lag = services["profile"]["lag"]
            if lag and not any(lag.values()):
                return
            await asyncio.sleep(0.1)


async def story_of(platform: Platform, member_id: str) -> tuple[dict[str, Any], Counter[str]]:
    """The profile, and how many events of each type are in its timeline."""
    read = await platform.ask("GET", f"/v1/profiles/by/member_id/{member_id}")
    assert read.status_code == 200, read.text
    person = read.json()
    path = f"/v1/profiles/{person['profile_id']}/timeline?limit=200"
    items = (await platform.ask("GET", path)).json()["items"]
    return person, Counter(item["type"] for item in items)


async def until_told(platform: Platform, member_id: str, events: int) -> None:
    """Until so many events are in the timeline of somebody who may not be known yet."""
    async with asyncio.timeout(_LONGEST):
        while True:
            read = await platform.ask("GET", f"/v1/profiles/by/member_id/{member_id}")
            if read.status_code == 200:
                _, story = await story_of(platform, member_id)
                if story.total() >= events:
                    return
            await asyncio.sleep(0.2)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def a_shop() -> Iterator[str]:
    """Serves the pages with the libraries for browsers; its address, another origin than the
    gateway's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=CLIENTS.parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
