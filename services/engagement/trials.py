"""Asking for trials on history: checked at once, worked on later."""

import uuid
from datetime import datetime
from typing import Any, Final

from services.engagement.checking import known
from services.engagement.domain.build import build_campaign
from services.engagement.domain.faults import Fault
from services.engagement.refusals import invalid, no_such, refusing
from services.engagement.store import settings, simulations
from services.engagement.store.simulations import Asked, Simulation
from zhiyin.contracts.instants import DAY, Duration, Instant, instant
from zhiyin.contracts.simulations import SimulateSegmentSpec, SimulateSpec
from zhiyin.rules import Options, RuleError, parse, read_text, unparse
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

_LONGEST: Final[Duration] = 800 * DAY
_MOST_WAITING: Final = 20


class Trials:
    def __init__(self, db: Database, options: Options, clock: Clock) -> None:
        self._db = db
        self._options = options
        self._clock = clock

    async def of_campaign(self, key: str, spec: SimulateSpec, actor: str) -> Simulation:
        """Of its newest version, draft or not. Raises Problem: 404, 422, 429."""
        since, until = self._span(spec.from_, spec.to)
        async with self._db.transaction() as tx:
            found = await settings.campaign(tx, key)
            if found is None:
                raise no_such("campaign", key)
            with refusing():
                build_campaign(found.spec, await known(tx), self._options, version=1, state="draft")
            alongside = spec.alongside == "live"
            asked = Asked(since, until, found.spec, found.version, None, alongside)
            return await self._ask(tx, "campaign", key, asked, actor)

    async def of_segment(self, spec: SimulateSegmentSpec, actor: str) -> Simulation:
        """Raises Problem: 422, 429."""
        since, until = self._span(spec.from_, spec.to)
        asked = Asked(since, until, rule=_rule(spec))
        async with self._db.transaction() as tx:
            return await self._ask(tx, "segment", "", asked, actor)

    async def find(self, text: str) -> Simulation:
        """Raises Problem (404)."""
        async with self._db.connection() as connection:
            found = await simulations.find(connection, _id(text))
        if found is None:
            raise no_such("simulation", text)
        return found

    async def cancel(self, text: str) -> Simulation:
        """What is finished stays as it is. Raises Problem (404)."""
        async with self._db.transaction() as tx:
            await simulations.finish(tx, _id(text), "cancelled", self._clock())
        return await self.find(text)

    async def newest(self, subject: str | None, limit: int) -> list[Simulation]:
        async with self._db.connection() as connection:
            return await simulations.newest(connection, subject, limit)

    async def _ask(self, tx: Any, kind: str, subject: str, asked: Asked, actor: str) -> Simulation:
        if await simulations.waiting(tx) >= _MOST_WAITING:
            message = f"{_MOST_WAITING} trials are waiting already"
            raise Problem(429, "too_many_simulations", message, retry_after=60)
        return await simulations.ask(tx, kind, subject, asked, self._clock(), actor)

    def _span(self, from_: datetime, to: datetime) -> tuple[Instant, Instant]:
        since, until = instant(from_), instant(to)
        faults = []
        if until <= since:
            faults.append(Fault("/to", "empty_range", "must be after from"))
        elif until - since > _LONGEST:
            message = f"must be at most {_LONGEST // DAY} days after from"
            faults.append(Fault("/to", "too_long", message))
        if until > self._clock():
            faults.append(Fault("/to", "in_future", "nobody knows yet what will happen"))
        if faults:
            raise invalid(faults)
        return since, until


def _rule(spec: SimulateSegmentSpec) -> Any:
    """The checked tree. Raises Problem (422)."""
    if (spec.rule is None) == (spec.text is None):
        raise invalid([Fault("/rule", "one_rule", "give either rule or text")])
    try:
        if spec.text is not None:
            tree = unparse(read_text(spec.text).rule)
            parse(tree, "/text", quintiles=False)
        else:
            tree = spec.rule
            parse(tree, "/rule", quintiles=False)
    except RuleError as error:
        where = "/text" if spec.text is not None else None
        raise invalid(
            [Fault(where or each.pointer, each.code, each.message) for each in error.problems]
        ) from error
    return tree


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise no_such("simulation", text) from None
