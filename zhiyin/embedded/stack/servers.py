"""PostgreSQL, Valkey and Apache Kafka of a stack: our own, or those named in the environment."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import asyncpg

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.kafka import Kafka
from zhiyin.embedded.postgres import Postgres
from zhiyin.embedded.stack.backoff import Backoff
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.plan import LOCAL, Plan
from zhiyin.embedded.stack.state import ServerState
from zhiyin.embedded.valkey import Valkey

DATABASE = "zhiyin"
Tell = Callable[[str], None]


class Server(Protocol):
    @property
    def pid(self) -> int | None:
        """None when it is not running."""
        ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Kept:
    """A server of our own, started again when it ends."""

    name: str
    server: Server
    log: Path
    backoff: Backoff = field(default_factory=Backoff)

    def start(self) -> None:
        self.server.start()
        self.backoff.started(time.monotonic())


@dataclass
class Servers:
    """All a stack needs. `postgres`, `redis` and `kafka` are addresses, known after `start`."""

    postgres: str
    redis: str
    kafka: str | None
    kept: list[Kept] = field(default_factory=list)

    def check(self, tell: Tell) -> bool:
        """Starts again what has ended; whether anything changed."""
        changed = False
        now = time.monotonic()
        for kept in self.kept:
            if kept.server.pid is not None:
                continue
            kept.backoff.ended(now)
            if kept.backoff.may_start(now):
                changed = True
                self._restart(kept, tell)
        return changed

    def _restart(self, kept: Kept, tell: Tell) -> None:
        tell(f"{kept.name} has ended; starting it again")
        kept.backoff.started(time.monotonic())
        try:
            kept.start()
        except EmbeddedError as error:
            tell(str(error))

    def stop(self, tell: Tell) -> None:
        """Stops ours, the last started first. What cannot be stopped does not keep the others."""
        for kept in reversed(self.kept):
            try:
                if kept.server.pid is not None:
                    kept.server.stop()
            except EmbeddedError as error:
                tell(str(error))

    def state(self) -> tuple[ServerState, ...]:
        return tuple(ServerState(kept.name, kept.server.pid) for kept in self.kept)


def start_servers(
    plan: Plan, folder: Folder, environ: Mapping[str, str], servers: Servers, tell: Tell
) -> None:
    """Fills `servers` as they come up, so that a failure half-way leaves them stoppable."""
    servers.postgres = environ.get("ZHIYIN_POSTGRES", "")
    if not servers.postgres:
        tell("starting PostgreSQL")
        log = folder.logs / "postgres.log"
        postgres = Postgres(folder.postgres, log)
        keep(servers, Kept("postgres", postgres, log))
        asyncio.run(create_database(postgres.dsn))
        servers.postgres = postgres.dsn_of(DATABASE)
    servers.redis = environ.get("ZHIYIN_REDIS", "")
    if not servers.redis:
        tell("starting Valkey")
        log = folder.logs / "valkey.log"
        valkey = Valkey(folder.valkey, log)
        keep(servers, Kept("valkey", valkey, log))
        servers.redis = valkey.url
    servers.kafka = plan.kafka
    if plan.kafka == LOCAL:
        tell("starting Apache Kafka (the first time it is fetched, which takes a minute)")
        kafka = Kafka(folder.kafka, folder.logs, environ)
        keep(servers, Kept("kafka", kafka, kafka.log(1)))
        servers.kafka = kafka.url


def keep(servers: Servers, kept: Kept) -> None:
    servers.kept.append(kept)
    kept.start()


async def create_database(admin: str) -> None:
    connection = await asyncpg.connect(admin, timeout=30)
    try:
        query = "SELECT true FROM pg_database WHERE datname = $1"
        if not await connection.fetchval(query, DATABASE):
            await connection.execute(f'CREATE DATABASE "{DATABASE}"')
    finally:
        await connection.close()
