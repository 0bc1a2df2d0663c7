"""The state of the whole platform, from what its processes say of themselves."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal, TypeVar

from msgspec import Struct

_LAG_WORTH_A_WORD: Final = 1000
_SLOW_MS: Final = 1000.0
_UNPUBLISHED_WORTH_A_WORD: Final = 100

Buckets = Mapping[int, int]
_K = TypeVar("_K", int, str)
_N = TypeVar("_N", int, float)


class Delay(Struct, frozen=True):
    """Bucket → count, of the process's life and of the last two minutes."""

    total: dict[int, int] = {}
    recent: dict[int, int] = {}


class Told(Struct, frozen=True):
    """What one process says of itself. A service without a worker says less."""

    service: str
    instance: str
    pid: int
    memory_bytes: int = 0
    delays: dict[str, Delay] = {}
    owned: tuple[int, ...] = ()
    lag: dict[str, int] = {}
    rates: dict[str, float] = {}
    dead_letters: int = 0
    outbox: int = 0
    halted: str | None = None
    master_keys: tuple[int, ...] = ()


class Unreachable(Struct, frozen=True):
    service: str
    url: str
    reason: str


class Instance(Struct, frozen=True):
    instance: str
    reachable: bool
    pid: int | None = None
    memory_bytes: int | None = None
    partitions: tuple[int, ...] = ()
    rates: dict[str, float] = {}
    halted: str | None = None


class ServiceState(Struct, frozen=True):
    """Over all instances: `lag`, records not yet applied, by topic; `rates`, what is done per
    second; `outbox`, batches committed and not yet published."""

    instances: list[Instance]
    lag: dict[str, int]
    dead_letters: int
    outbox: int
    rates: dict[str, float] = {}


class DelayState(Struct, frozen=True):
    """Percentiles in milliseconds, right to within 5 %; over two minutes and since the start."""

    p50_ms: float | None
    p99_ms: float | None
    count: int
    total_p50_ms: float | None
    total_p99_ms: float | None
    total_count: int


class SystemState(Struct, frozen=True):
    """`problems` says in words what is wrong; empty when nothing is."""

    status: Literal["ok", "degraded"]
    problems: list[str]
    services: dict[str, ServiceState]
    delays: dict[str, DelayState]
    as_of: str


Quantile = Callable[[Buckets, float], int | None]


def system_state(
    answers: Sequence[Told | Unreachable],
    expected: Iterable[str],
    away: Iterable[str],
    partitions: int,
    as_of: str,
    quantile: Quantile,
) -> SystemState:
    """`expected`: services that must have at least one reachable instance, and hold all
    `partitions` between them; `away`: what is said of servers that do not answer."""
    services: dict[str, ServiceState] = {}
    for name in sorted({answer.service for answer in answers}):
        services[name] = _service([each for each in answers if each.service == name])
    told = [each for each in answers if isinstance(each, Told)]
    names = sorted({name for each in told for name in each.delays})
    delays = {
        name: _delay([each.delays[name] for each in told if name in each.delays], quantile)
        for name in names
    }
    expected = tuple(expected)
    problems = [
        *away,
        *_missing(expected, told),
        *_service_problems(services),
        *_unheld(expected, services, partitions),
        *_slow(delays),
    ]
    problems[0:0] = [_away(each) for each in answers if isinstance(each, Unreachable)]
    return SystemState("degraded" if problems else "ok", problems, services, delays, as_of)


def _service(answers: Sequence[Told | Unreachable]) -> ServiceState:
    told = [each for each in answers if isinstance(each, Told)]
    return ServiceState(
        instances=[_instance(each) for each in answers],
        lag=_added(each.lag for each in told),
        dead_letters=max((each.dead_letters for each in told), default=0),
        outbox=sum(each.outbox for each in told),
        rates=_added(each.rates for each in told),
    )


def _instance(answer: Told | Unreachable) -> Instance:
    if isinstance(answer, Unreachable):
        return Instance(answer.url, False)
    return Instance(
        answer.instance,
        True,
        answer.pid,
        answer.memory_bytes,
        answer.owned,
        answer.rates,
        answer.halted,
    )


def _delay(parts: Sequence[Delay], quantile: Quantile) -> DelayState:
    recent = _added(each.recent for each in parts)
    total = _added(each.total for each in parts)

    def milliseconds(buckets: Buckets, q: float) -> float | None:
        micros = quantile(buckets, q)
        return None if micros is None else round(micros / 1000, 1)

    return DelayState(
        milliseconds(recent, 0.5),
        milliseconds(recent, 0.99),
        sum(recent.values()),
        milliseconds(total, 0.5),
        milliseconds(total, 0.99),
        sum(total.values()),
    )


def _added(parts: Iterable[Mapping[_K, _N]]) -> dict[_K, _N]:
    """Numbers by name, summed."""
    merged: dict[_K, _N] = {}
    for part in parts:
        for name, number in part.items():
            merged[name] = merged[name] + number if name in merged else number
    return merged


def _missing(expected: Iterable[str], told: Sequence[Told]) -> list[str]:
    present = {each.service for each in told}
    return [f"no instance of {name} answers" for name in expected if name not in present]


def _away(answer: Unreachable) -> str:
    return f"{answer.service} at {answer.url} does not answer: {answer.reason}"


def _service_problems(services: Mapping[str, ServiceState]) -> list[str]:
    problems = []
    for name, state in services.items():
        problems += [
            f"{name} {each.instance} has halted: {each.halted}"
            for each in state.instances
            if each.halted
        ]
        behind = sum(state.lag.values())
        if behind >= _LAG_WORTH_A_WORD:
            still = "" if any(state.rates.values()) else " and applies none"
            problems.append(f"{name} is {behind} records behind{still}")
        if state.outbox >= _UNPUBLISHED_WORTH_A_WORD:
            problems.append(f"{name} has {state.outbox} batches that are not published yet")
        if state.dead_letters:
            problems.append(f"{name} has {state.dead_letters} dead letters")
    return problems


def _unheld(
    expected: Iterable[str], services: Mapping[str, ServiceState], partitions: int
) -> list[str]:
    """Of services that answer: what none of their instances takes care of."""
    problems = []
    for name in expected:
        instances = services[name].instances if name in services else []
        held = {number for each in instances for number in each.partitions}
        missing = [str(number) for number in range(partitions) if number not in held]
        if missing and any(each.reachable for each in instances):
            problems.append(f"nobody holds {name}'s partitions {', '.join(missing)}")
    return problems


def _slow(delays: Mapping[str, DelayState]) -> list[str]:
    return [
        f"{name} takes {delay.p99_ms:.0f} ms (p99 of the last two minutes)"
        for name, delay in delays.items()
        if delay.p99_ms is not None and delay.p99_ms > _SLOW_MS
    ]
