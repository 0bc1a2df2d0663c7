"""What every reliability test does around its fault: set a campaign up, drain, check everything."""

import asyncio
import re
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg

from tests.reliability import invariants
from tests.reliability.platform import SECRET, Platform
from tests.reliability.receiver import received
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.settings import ServiceSettings

Json = dict[str, Any]

PING_CAMPAIGN: Json = {
    "key": "ping",
    "name": "Answer each ping once",
    "purpose": "transactional",
    "trigger": {"on": "event", "type": "custom.ping"},
    "steps": [{"webhook": {"channel": "hook"}}],
}
# The same through a timer. Who pings again within the second is inside already.
ECHO_CAMPAIGN: Json = PING_CAMPAIGN | {
    "key": "echo",
    "name": "Answer a ping a second later",
    "steps": [{"wait": "1s"}, {"webhook": {"channel": "hook"}}],
}


def log_of(platform: Platform) -> Any:
    settings = ServiceSettings(
        postgres=platform.postgres.dsn,
        redis=platform.valkey.url,
        secret_key=SECRET,
        kafka=platform.kafka,
        instance="checker",
    )
    return open_log(settings)


async def launch_pings(platform: Platform) -> None:
    """A campaign that answers every `custom.ping` with one webhook call, and one that waits."""
    async with platform.client() as client:
        hook = {"url": f"http://127.0.0.1:{platform.receiver_port}/", "concurrency": 32}
        for method, path, body in (
            ("PUT", "/v1/channels/hook", {"kind": "webhook", "config": hook}),
            ("POST", "/v1/campaigns", PING_CAMPAIGN),
            ("POST", "/v1/campaigns/ping/launch", {}),
            ("POST", "/v1/campaigns", ECHO_CAMPAIGN),
            ("POST", "/v1/campaigns/echo/launch", {}),
        ):
            answer = await client.request(method, path, json=body)
            assert answer.status_code < 300, answer.text


async def drained(platform: Platform, patience: float = 90) -> None:
    """Waits until every consumer is at the end and every outbox and delivery queue is empty. Fails
    with what is left once that has not changed for `patience` seconds: how long it takes in all
    is the machine's affair."""
    async with AsyncExitStack() as stack:
        db = await asyncpg.connect(platform.postgres.dsn)
        stack.push_async_callback(db.close)
        log = log_of(platform)
        await log.start()
        stack.push_async_callback(log.stop)
        for _ in range(2):  # twice: a message published in between may move the end
            before, since = await left(db, log), time.monotonic()
            while before:
                await asyncio.sleep(0.2)
                after = await left(db, log)
                if after != before:
                    before, since = after, time.monotonic()
                assert time.monotonic() < since + patience, "stuck: " + "; ".join(before[:10])


async def left(db: asyncpg.Connection, log: EventLog) -> list[str]:
    """What is still to be done."""
    deliveries = await db.fetchval("SELECT count(*) FROM engagement.delivery")
    waits = await db.fetchval(
        "SELECT count(*) FROM engagement.run WHERE campaign = 'echo' AND state = 'active'"
    )
    return [
        *await invariants.positions_at_the_end(db, log),
        *await invariants.outboxes_empty(db),
        *([f"{deliveries} deliveries"] if deliveries else []),
        *([f"{waits} waits"] if waits else []),
    ]


async def check_everything(
    platform: Platform, accepted: Iterable[Json], pings: set[str], *, dead: int = 0
) -> None:
    """I1 to I8, plus: each ping was answered by exactly one action."""
    async with AsyncExitStack() as stack:
        db = await asyncpg.connect(platform.postgres.dsn)
        stack.push_async_callback(db.close)
        log = log_of(platform)
        await log.start()
        stack.push_async_callback(log.stop)
        people, wrong = await invariants.profiles_are_folds(db, log)
        members, untrue = await invariants.memberships_are_true(db)
        assert people > 0
        assert members == people
        letters = await invariants.dead_letters(db)
        problems = [
            *await invariants.positions_at_the_end(db, log),
            *await invariants.accepted_are_applied(db, accepted),
            *wrong,
            *untrue,
            *await invariants.changes_are_published(db, log),
            *await invariants.outboxes_empty(db),
            *await invariants.hot_copies_are_current(db, platform.valkey.url),
            *answered_once(platform.ledger, pings),
            *await echoes_are_complete(db, platform.ledger),
            *([f"dead letters: {letters}"] if len(letters) != dead else []),
        ]
        assert not problems, "\n".join(problems[:30])


def answered_once(ledger: Path, pings: set[str]) -> list[str]:
    """I6: the receiver, which acts once per id, acted once for each ping."""
    answers: dict[str, set[str]] = {"ping": set(), "echo": set()}
    wrong: list[str] = []
    for request in received(ledger):
        body = request["body"]
        assert isinstance(body, dict)
        answers[body["campaign"]].add(str(request["id"]))
        if request["id"] != body["action_id"]:
            wrong.append(f"webhook-id {request['id']} is not its action's, {body['action_id']}")
    if len(answers["ping"]) != len(pings):
        wrong.append(f"{len(answers['ping'])} actions for {len(pings)} pings")
    if not 0 < len(answers["echo"]) <= len(pings):
        wrong.append(f"{len(answers['echo'])} echoes of {len(pings)} pings")
    return wrong


async def echoes_are_complete(db: asyncpg.Connection, ledger: Path) -> list[str]:
    """I10: every wait led to its action, and every action reached the receiver. Of two waits
    whose people turned out to be one, one goes on."""
    entered = await db.fetchval(
        """
        SELECT count(*) FROM engagement.run
        WHERE campaign = 'echo' AND NOT (state = 'exited' AND reason = 'merged')
        """
    )
    heard = {request["id"] for request in received(ledger) if request["body"]["campaign"] == "echo"}
    return [] if len(heard) == entered else [f"{entered} waits led to {len(heard)} echoes"]


def quiet_logs(platform: Platform, allowed: str = "$^") -> list[str]:
    """Lines no run may have: tracebacks of tasks nobody awaited, leaked connections."""
    pattern = re.compile(r"was never (retrieved|awaited)|Unclosed|ResourceWarning")
    return [
        f"{worker.name}: {line[:200]}"
        for worker in platform.workers.values()
        for line in worker.log.read_text(errors="replace").splitlines()
        if pattern.search(line) and not re.search(allowed, line)
    ]
