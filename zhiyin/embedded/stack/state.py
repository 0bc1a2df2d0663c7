"""What the supervisor tells the other commands, through a file in the data folder."""

from typing import Literal

import msgspec

from zhiyin.embedded.stack.folder import Folder, decode, write_private
from zhiyin.embedded.stack.lock import holder

Phase = Literal["starting", "ready", "stopping"]


class ServerState(msgspec.Struct, frozen=True):
    """A server we run ourselves: PostgreSQL, Valkey, Apache Kafka."""

    service: str
    pid: int | None


class InstanceState(msgspec.Struct, frozen=True):
    """One process of a service. `port` is its private one on the loopback address; `restarts`
    counts how often it ended without being asked to."""

    service: str
    instance: str
    pid: int | None
    port: int
    restarts: int


class State(msgspec.Struct, frozen=True):
    """A running stack. `doing` says, for people, what it is busy with while it starts."""

    pid: int
    phase: Phase
    doing: str
    gateway: str
    postgres: str = ""
    redis: str = ""
    kafka: str | None = None
    servers: tuple[ServerState, ...] = ()
    instances: tuple[InstanceState, ...] = ()


def read_state(folder: Folder) -> State | None:
    """The state of the stack that runs in `folder`; None if none does."""
    pid = holder(folder.lock)
    if pid is None or not folder.state.exists():
        return None
    state = decode(folder.state, State)
    return state if state.pid == pid else None


def write_state(folder: Folder, state: State) -> None:
    write_private(folder.state, msgspec.json.encode(state))
