"""Seeing an erasure through: every service forgets the person, the vault their values, and only
then may the same identifiers be somebody new's.

Each step can be done again, so any gateway may go on where another stopped.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import quote

import msgspec
import structlog
from msgspec import Struct

from services.gateway.domain.receipts import Cleared, cleared
from services.gateway.stores.erasures import Erasure, ErasureStore
from services.gateway.upstreams import ENGAGEMENT, PROFILE, SEGMENTATION, Answer, Asked
from zhiyin.contracts.instants import SECOND, Duration, Instant, instant, moment
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.problems import Problem

_log = structlog.get_logger(__name__)
_ACTOR: Final = "erasure"
_AT_ONCE: Final = 20
_LEASE_SECONDS: Final = 30.0
_AGAIN_SECONDS: Final = 0.2
_POLL_SECONDS: Final = 1.0
# In that time every gateway has looked up what is being forgotten, so that none takes it for kept.
_UNLEARNED: Final[Duration] = 5 * SECOND // 2
# The command counts once however often it is given; so often that it cannot get lost.
_COMMAND_SECONDS: Final = 5.0


class Forgets(Protocol):
    async def forget(self, tokens: Sequence[str], kept_until: datetime | None) -> int: ...

    def unlearn(self, tokens: Iterable[str]) -> None: ...


class Services(Protocol):
    async def ask(self, service: str, asked: Asked) -> Answer: ...


class Outcome(Struct, frozen=True):
    """What is stored of a completed erasure."""

    refused_events: int
    stores: tuple[Cleared, ...]


class Found(Struct, frozen=True):
    """What the services had erased when the vault began to forget."""

    counts: dict[str, int]
    shared: int


class _Person(Struct, frozen=True):
    """What the profile service says of the person it erased."""

    counts: dict[str, int]
    refused: int = 0
    told: tuple[str, ...] = ()
    tokens: tuple[tuple[str, str], ...] = ()
    shared: int = 0
    profile_ids: tuple[str, ...] = ()
    until: Instant | None = None


class _Counts(Struct, frozen=True):
    counts: dict[str, int]


class Erasures:
    def __init__(
        self,
        store: ErasureStore,
        services: Services,
        vault: Forgets,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._services = services
        self._vault = vault
        self._clock = clock
        self._monotonic = monotonic
        self._sent: dict[str, float] = {}
        self._awake = asyncio.Event()

    def wake(self) -> None:
        """One has just been asked for."""
        self._awake.set()

    async def run(self) -> None:
        """Until cancelled. An outage only delays."""
        while True:
            pending = False
            try:
                self._vault.unlearn(await self._store.tokens())
                pending = await self.advance()
            except Exception as error:
                if not is_outage(error):
                    raise
                _log.warning("erasures wait", error=repr(error))
            await self._rest(_AGAIN_SECONDS if pending else _POLL_SECONDS)

    async def advance(self) -> bool:
        """Do what can be done of those that are pending; whether there were any."""
        claimed = await self._store.claim(_AT_ONCE, _LEASE_SECONDS)
        await asyncio.gather(*(self._advance(each) for each in claimed))
        return bool(claimed)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()
        self._awake.clear()

    async def _advance(self, erasure: Erasure) -> None:
        try:
            outcome = await self._outcome(erasure)
        except Problem as problem:
            _log.warning("erasure waits", erasure_id=erasure.id, why=problem.message)
            outcome = None
        if outcome is None:
            await self._store.again(erasure.id, _AGAIN_SECONDS)
        else:
            await self._store.complete(erasure.id, outcome)

    async def _outcome(self, erasure: Erasure) -> Outcome | None:
        """Everything in its order; None where something is not there yet."""
        if erasure.forgotten_at is None:
            await self._forget(erasure)
            return None
        if instant(erasure.forgotten_at) + _UNLEARNED > self._clock():
            return None
        ended = await self._ended(erasure)
        gone = await self._vault.forget(erasure.tokens, moment(ended.until or self._clock()))
        found = msgspec.convert(erasure.found, Found)
        counts = {**found.counts, **ended.counts}
        return Outcome(ended.refused, cleared(erasure.forgotten + gone, found.shared, counts))

    async def _forget(self, erasure: Erasure) -> None:
        """Once all services have erased the person, the vault may."""
        person = await self._erased(erasure)
        if person is None:
            return
        counts = await self._counts(person)
        if counts is None:
            return
        tokens = [token for _, token in person.tokens]
        ids = [erasure.profile_id, *person.profile_ids]
        await self._store.forgetting(erasure.id, tokens, ids, Found(counts, person.shared))
        gone = await self._vault.forget(tokens, None)
        await self._store.forgotten(erasure.id, gone)
        self._sent.pop(erasure.id, None)

    async def _erased(self, erasure: Erasure) -> _Person | None:
        """What the profile service erased; it is told to, if it has not been yet."""
        answer = await self._ask(PROFILE, "GET", f"/internal/erasures/{erasure.id}")
        if answer.status == 200:
            return msgspec.json.decode(answer.body, type=_Person)
        if self._monotonic() < self._sent.get(erasure.id, 0.0) + _COMMAND_SECONDS:
            return None
        self._sent[erasure.id] = self._monotonic()
        command = {
            "erasure_id": erasure.id,
            "profile_id": erasure.profile_id,
            "actor": erasure.requested_by,
        }
        body = msgspec.json.encode(command)
        await self._ask(PROFILE, "POST", "/internal/erasures", body)
        return None

    async def _counts(self, person: _Person) -> dict[str, int] | None:
        counts: Counter[str] = Counter(person.counts)
        for service in (SEGMENTATION, ENGAGEMENT):
            for profile_id in person.told:
                path = f"/internal/erasures/{quote(profile_id)}"
                answer = await self._ask(service, "GET", path)
                if answer.status != 200:
                    return None
                counts.update(msgspec.json.decode(answer.body, type=_Counts).counts)
        return dict(counts)

    async def _ended(self, erasure: Erasure) -> _Person:
        answer = await self._ask(PROFILE, "POST", f"/internal/erasures/{erasure.id}/end")
        if answer.status != 200:
            raise Problem(503, "unavailable", "the profile service cannot end it yet")
        return msgspec.json.decode(answer.body, type=_Person)

    async def _ask(self, service: str, method: str, path: str, body: bytes = b"") -> Answer:
        return await self._services.ask(service, Asked(method, path, _ACTOR, "", body))
