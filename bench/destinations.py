"""One destination hangs: do the others' deliveries take any longer? Four receivers that answer, and
a fifth that answers in one round, and in the next takes requests and never does. Rounds alternate,
so that what else the machine is busy with falls on both alike."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Final

import msgspec

from bench.report import Figure, say
from bench.servers import SECRET, servers
from services.engagement.catalogs import Catalogs
from services.engagement.deliverer import Deliverer
from services.engagement.handover import Handover
from services.engagement.main import MIGRATIONS
from services.engagement.sealing import Sealer, derived_key
from services.engagement.seeding import seed
from services.engagement.senders.outbound import Outbound
from services.engagement.senders.places import Places
from services.engagement.senders.webhook import WebhookSender
from services.engagement.settings_editor import SettingsEditor
from services.engagement.telling import Teller
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.profiles import Snapshot, encode
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import http_client
from zhiyin.runtime.log import Message, Position
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.telemetry import Telemetry

LIVE: Final = 4
PER_SECOND: Final = 40  # to the four together, and as much again to the fifth
SECONDS: Final = 8
ROUNDS: Final = 4
PERSON: Final = "bench-person"
_ADD: Final = """
WITH added AS (
  INSERT INTO action (profile_id, action_id, campaign, version, occurrence, run_id, step, kind,
    purpose, state, channel, at, updated_at, why, data)
  VALUES ($1, $2, 'complaint-care', 1, $3, $2, '0', 'webhook', 'care', 'decided', $4, 0, 0,
    '\\x80', '\\x80'))
INSERT INTO delivery (action_id, profile_id, partition, channel, traceparent)
VALUES ($2, $1, 0, $4, '')
"""


@dataclass
class Receivers:
    """When each action came in; `hanging` ones are never answered."""

    came: dict[str, float] = field(default_factory=dict)
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def live(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            while True:
                body = await _body(reader)
                self.came[msgspec.json.decode(body)["action_id"]] = time.perf_counter()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def hanging(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            await reader.read()
        finally:
            self.open.discard(writer)
            writer.close()


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


class NoLog:
    async def append(self, messages: Sequence[Message]) -> Sequence[Position]:
        raise AssertionError("nothing bounces here")


def run() -> Sequence[Figure]:
    with servers(kafka=False) as using:
        return asyncio.run(_measure(using.postgres.dsn))


async def _measure(dsn: str) -> Sequence[Figure]:
    await migrate(dsn, "engagement", MIGRATIONS)
    db = Database(dsn, "engagement", role_of("engagement"))
    await db.open()
    receivers = Receivers()
    try:
        async with _at_work(db, receivers):
            delays: dict[bool, list[float]] = {False: [], True: []}
            for number in range(ROUNDS):
                for hangs in (number % 2 == 0, number % 2 == 1):
                    say(f"round {number + 1} of {ROUNDS}, {'with' if hangs else 'without'} it")
                    delays[hangs] += await _round(db, receivers, hangs=hangs)
        return _figures(delays)
    finally:
        await db.close()


@asynccontextmanager
async def _at_work(db: Database, receivers: Receivers) -> AsyncIterator[None]:
    sealer, places = Sealer(derived_key(SECRET, "channels")), Places(["127.0.0.1"])
    await seed(db, sealer, wall_clock())
    await _person(db)
    behave = [*[receivers.live] * (LIVE + 1), receivers.hanging]
    listening = [await asyncio.start_server(each, "127.0.0.1", 0) for each in behave]
    editor = SettingsEditor(db, sealer, places, "CNY", wall_clock)
    for number, server in enumerate(listening):
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        name = f"d-{number}" if number <= LIVE else "hangs"
        await editor.put_channel(name, ChannelSpec("webhook", {"url": url}))
    client = http_client(connections=None)
    sender = WebhookSender(Outbound(client, places), wall_clock)
    handover = Handover(
        db, {"webhook": sender}, Teller(NoLog()), wall_clock, Telemetry("engagement", "bench")
    )
    deliverer = Deliverer(db, Catalogs(Options(), sealer), handover, lambda: [0], wall_clock)
    working = asyncio.create_task(deliverer.run())
    waking = asyncio.create_task(_wake(deliverer))
    yield
    waking.cancel()
    for writer in receivers.open:
        writer.transport.abort()
    await deliverer.stop()
    await working
    await client.aclose()
    for server in listening:
        server.close()


async def _wake(deliverer: Deliverer) -> None:
    """As commits of the pipeline do."""
    while True:
        await asyncio.sleep(0.02)
        deliverer.wake()


async def _person(db: Database) -> None:
    packed = encode(Snapshot(PERSON, 1, 0, 0))
    async with db.transaction() as tx:
        await tx.execute(
            "INSERT INTO person (profile_id, partition, version, snapshot) VALUES ($1, 0, 1, $2)",
            PERSON,
            packed,
        )


async def _round(db: Database, receivers: Receivers, *, hangs: bool) -> list[float]:
    """Seconds from written down to received, of every delivery to the live ones."""
    begun: dict[str, float] = {}
    started = time.perf_counter()
    for number in range(SECONDS * PER_SECOND):
        await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.perf_counter()))
        async with db.connection() as connection:
            await _add(connection, "hangs" if hangs else f"d-{LIVE}")
            begun[await _add(connection, f"d-{number % LIVE}")] = time.perf_counter()
    async with asyncio.timeout(60):
        while not begun.keys() <= receivers.came.keys():
            await asyncio.sleep(0.05)
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM delivery WHERE channel = 'hangs'")
    return [receivers.came[each] - at for each, at in begun.items()]


async def _add(connection: Connection, channel: str) -> str:
    action_id = uuid.uuid4()
    await connection.execute(_ADD, PERSON, action_id, str(action_id), channel)
    return str(action_id)


def _figures(delays: Mapping[bool, Sequence[float]]) -> Sequence[Figure]:
    cuts = {hangs: quantiles(found, n=100) for hangs, found in delays.items()}
    return [
        Figure("p50 without the one that hangs", cuts[False][49] * 1000, "ms"),
        Figure("p50 with it", cuts[True][49] * 1000, "ms"),
        Figure("p99 without the one that hangs", cuts[False][98] * 1000, "ms"),
        Figure("p99 with it", cuts[True][98] * 1000, "ms"),
        Figure("p99 with it to p99 without", cuts[True][98] / cuts[False][98], "×"),
    ]
