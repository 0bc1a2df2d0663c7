"""How a running stack is, as asked of each of its processes."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from zhiyin.embedded.stack.probe import is_ready, system_of
from zhiyin.embedded.stack.state import InstanceState, ServerState, State
from zhiyin.embedded.stack.wiring import WORKERS


class ProcessHealth(msgspec.Struct, frozen=True):
    """One process of a service, and whether it says it is ready."""

    service: str
    instance: str
    pid: int | None
    ready: bool
    restarts: int = 0
    memory_bytes: int | None = None


class Health(msgspec.Struct, frozen=True):
    """What `zhiyin status --json` prints. `lag` is the number of records each worker has not
    yet handled; None for one none of whose processes answers."""

    ready: bool
    processes: Sequence[ProcessHealth] = ()
    lag: Mapping[str, int | None] = {}
    servers: Sequence[ServerState] = ()
    gateway: str | None = None


NOT_RUNNING = Health(ready=False)


def ask_all(state: State, token: str) -> Health:
    """Asks all processes at the same time, so that one that hangs costs 3 s only once."""
    with ThreadPoolExecutor(max(1, 2 * len(state.instances))) as pool:
        ready = list(pool.map(lambda i: i.pid is not None and is_ready(i.port), state.instances))
        systems = list(pool.map(lambda i: system_of(i.port, token), state.instances))
    processes = [
        health_of(instance, answer, system)
        for instance, answer, system in zip(state.instances, ready, systems, strict=True)
    ]
    up = state.phase == "ready" and all(server.pid for server in state.servers)
    return Health(
        ready=up and all(process.ready for process in processes),
        processes=processes,
        lag=lag_of(systems),
        servers=state.servers,
        gateway=state.gateway,
    )


def health_of(instance: InstanceState, ready: bool, system: Mapping[str, Any]) -> ProcessHealth:
    return ProcessHealth(
        instance.service,
        instance.instance,
        instance.pid,
        ready,
        instance.restarts,
        system.get("memory_bytes"),
    )


def lag_of(systems: Sequence[Mapping[str, Any]]) -> dict[str, int | None]:
    """Per service: every instance tells the lag of the partitions it holds."""
    lag: dict[str, int | None] = dict.fromkeys(WORKERS)
    for system in systems:
        if system.get("service") not in lag or "lag" not in system:
            continue
        service, own = system["service"], system["lag"]
        lag[service] = (lag.get(service) or 0) + total(own)
    return lag


def total(lag: int | Mapping[str, int]) -> int:
    return lag if isinstance(lag, int) else sum(lag.values())
