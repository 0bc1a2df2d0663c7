"""Finding a person: from the hot copy, else from the services that own the truth."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol
from urllib.parse import quote

import msgspec
from msgspec import Struct

from services.gateway.hot import Hot
from services.gateway.upstreams import PROFILE, SEGMENTATION, Answer, Asked
from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.contracts.receipts import Mark
from zhiyin.runtime.problems import Problem

_PROFILE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_HOPS: Final = 8
_WAIT_SECONDS: Final = 2.0
_POLL_SECONDS: Final = 0.02
_MSGPACK: Final = "application/msgpack"


# A profile id, or a namespace with a normalised identifier (a token if personal).
Who = str | tuple[str, str]


class Person(Struct, frozen=True):
    """`hot`: what Redis holds, if all of it comes from there."""

    snapshot: Snapshot
    segments: tuple[str, ...]
    hot: Hot | None = None


class Asking(Struct, frozen=True):
    """On whose behalf, and in which trace, services are asked. `brands` None: all."""

    actor: str
    traceparent: str
    brands: frozenset[str] | None = None


class Memberships(Struct, frozen=True):
    """A person's segments as segmentation has them, decided on that version of the profile."""

    segments: tuple[str, ...] = ()
    profile_version: int = 0


class HotPeople(Protocol):
    async def person(self, profile_id: str) -> Hot: ...

    async def owner(self, namespace: str, value: str) -> Hot | None: ...


class Services(Protocol):
    async def ask(self, service: str, asked: Asked) -> Answer: ...


class People:
    def __init__(
        self, hot: HotPeople, services: Services, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._hot = hot
        self._services = services
        self._monotonic = monotonic

    async def hot(self, who: Who) -> Hot | None:
        """What the hot copy has of somebody, None if it does not know whom an identifier leads
        to. Raises Problem (404) for what cannot be a profile id."""
        if isinstance(who, str):
            if not _PROFILE_ID.fullmatch(who):
                raise UnknownProfile
            hot = await self._hot.person(who)
        elif (found := await self._hot.owner(*who)) is not None:
            hot = found
        else:
            return None
        for _ in range(_MOST_HOPS):
            if hot.moved_to is None:
                break
            hot = await self._hot.person(hot.moved_to)
        return hot

    async def whole(self, who: Who, hot: Hot | None, asking: Asking) -> Person:
        """The person, with what `hot` lacks from the services. Raises Problem (404, 503)."""
        if isinstance(who, str):
            return await self._completed(hot or Hot(who), asking)
        namespace, value = who
        if hot is not None:
            with suppress(UnknownProfile):  # erased since; the identifier may be somebody new's
                person = await self._completed(hot, asking)
                if value in person.snapshot.facts.identifiers.get(namespace, ()):
                    return person
        snapshot = await self._snapshot(_place(who), asking)
        memberships = await self._memberships(snapshot.profile_id, asking)
        return Person(snapshot, memberships.segments)

    async def by_id(self, profile_id: str, asking: Asking) -> Person:
        """The person of an id, also of one that was merged away. Raises Problem (404, 503)."""
        return await self.whole(profile_id, await self.hot(profile_id), asking)

    async def current_id(self, profile_id: str, asking: Asking) -> str:
        """The id under which the services know a person now."""
        return (await self.by_id(profile_id, asking)).snapshot.profile_id

    async def stored_id(self, profile_id: str, asking: Asking) -> str:
        """The same, as the profile service itself says. Raises Problem (404, 503)."""
        if not _PROFILE_ID.fullmatch(profile_id):
            raise UnknownProfile
        return (await self._snapshot(quote(profile_id), asking)).profile_id

    async def stored(self, profile_id: str, asking: Asking) -> Person:
        """The person as the services themselves have them. Raises Problem (404, 503)."""
        snapshot = await self._snapshot(quote(await self.stored_id(profile_id, asking)), asking)
        found = await self._memberships(snapshot.profile_id, asking)
        return Person(snapshot, found.segments)

    async def after(self, marks: Sequence[Mark], who: Who, asking: Asking) -> Person:
        """The person with all events up to `marks` in it, segments too.
        Raises Problem: 504 `not_yet` when that takes longer than two seconds."""
        deadline = self._monotonic() + _WAIT_SECONDS
        await self._applied(marks, asking)
        snapshot = await self._snapshot(_place(who), asking)
        while True:
            found = await self._memberships(snapshot.profile_id, asking)
            if found.profile_version >= snapshot.version:
                return Person(snapshot, found.segments)
            if self._monotonic() >= deadline:
                raise _not_yet()
            await asyncio.sleep(_POLL_SECONDS)

    async def _completed(self, hot: Hot, asking: Asking) -> Person:
        snapshot, segments = hot.snapshot, hot.segments
        if snapshot is not None and segments is not None and snapshot.profile_id == hot.profile_id:
            return Person(snapshot, segments, hot)
        if snapshot is None:
            snapshot = await self._snapshot(quote(hot.profile_id), asking)
        found = await self._memberships(snapshot.profile_id, asking)
        return Person(snapshot, found.segments)

    async def _applied(self, marks: Sequence[Mark], asking: Asking) -> None:
        positions = quote(",".join(f"{mark.topic}:{mark.number}:{mark.offset}" for mark in marks))
        target = f"/internal/applied?positions={positions}&wait={_WAIT_SECONDS:g}"
        answer = await self._ask(PROFILE, target, asking)
        if answer.status == 504:
            raise _not_yet()
        if answer.status != 200:
            raise Problem(400, "invalid_receipt", "this platform did not give that receipt")

    async def _snapshot(self, place: str, asking: Asking) -> Snapshot:
        answer = await self._ask(PROFILE, f"/internal/profiles/{place}", asking)
        if answer.status != 200:
            raise UnknownProfile
        return decode_snapshot(answer.body)

    async def _memberships(self, profile_id: str, asking: Asking) -> Memberships:
        answer = await self._ask(SEGMENTATION, f"/internal/segments/{quote(profile_id)}", asking)
        if answer.status != 200:
            return Memberships()  # segmentation has not met this person yet
        return msgspec.json.decode(answer.body, type=Memberships)

    async def _ask(self, service: str, target: str, asking: Asking) -> Answer:
        asked = Asked("GET", target, asking.actor, asking.traceparent, accept=_MSGPACK)
        answer = await self._services.ask(service, asked)
        if answer.status >= 500 and answer.status != 504:
            raise Problem(503, "unavailable", f"the {service} service is away", retry_after=2)
        return answer


class UnknownProfile(Problem):
    def __init__(self) -> None:
        super().__init__(404, "unknown_profile", "there is no such profile")


def _not_yet() -> Problem:
    return Problem(504, "not_yet", "the events of that receipt are not in the answer yet")


def _place(who: Who) -> str:
    if isinstance(who, str):
        return quote(who)
    namespace, value = who
    return f"by/{quote(namespace, safe='')}/{quote(value, safe='')}"
