"""Why somebody has, or has not, a tag; and whether a rule not in force would give it to them."""

from services.profile import tag_rules
from services.profile.api import find
from services.profile.editor import checked_rule, no_rule
from zhiyin.contracts.instants import rfc3339
from zhiyin.contracts.profiles import decode_snapshot
from zhiyin.contracts.tag_rules import TagExplanation, TagTrial
from zhiyin.facts.view import tag_view
from zhiyin.rules import Options, Person, compile_rule
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database


class Explaining:
    def __init__(self, database: Database, options: Options, clock: Clock) -> None:
        self._database = database
        self._options = options
        self._clock = clock

    async def tag(self, tag: str, profile_id: str) -> TagExplanation:
        """Raises Problem: 404 for a tag without a rule or nobody's id."""
        async with self._database.connection() as connection:
            stored = await tag_rules.find(connection, tag)
        if stored is None or stored.deleted:
            raise no_rule(tag)
        return await self._explained(profile_id, stored.rule, tag, stored.version)

    async def trial(self, trial: TagTrial) -> TagExplanation:
        """Raises Problem: 422 for no rule, 404 for nobody's id."""
        checked_rule(trial.rule)
        return await self._explained(trial.profile_id, trial.rule, None, None)

    async def _explained(
        self, profile_id: str, tree: object, tag: str | None, version: int | None
    ) -> TagExplanation:
        async with self._database.connection() as connection:
            found = await find(connection, profile_id)
        snapshot, now = decode_snapshot(found.snapshot), self._clock()
        told = compile_rule(checked_rule(tree), self._options).explain(Person(snapshot), now)
        held = snapshot.tags.get(tag) if tag is not None else None
        return TagExplanation(
            tag=tag,
            profile_id=found.profile_id,
            matches=told.matches,
            held=tag_view(tag, held) if tag and held and held.holds(now) else None,
            rule_version=version,
            next_flip=None if told.next_flip is None else rfc3339(told.next_flip),
            as_of=rfc3339(now),
            clauses=told.view(),
        )
