"""What a merge or an un-merge would do: it is done in a transaction that is then rolled back."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from services.profile import reads
from services.profile.commands import command
from services.profile.pipeline import Pipeline
from zhiyin.contracts.events import PERSONAL_NAMESPACES, encode_event, event_key
from zhiyin.contracts.instants import moment
from zhiyin.contracts.merges import MergePreview, Portrait, UnmergePreview
from zhiyin.contracts.money import from_minor
from zhiyin.contracts.profiles import Facts, Snapshot, decode_profile_changed, decode_snapshot
from zhiyin.contracts.topics import topic_of
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.log import Record
from zhiyin.runtime.problems import Problem

_NOWHERE: Final = 0


class _Undone(Exception):
    """Only looked."""


class Previewer:
    def __init__(self, database: Database, pipeline: Pipeline, currency: str, clock: Clock) -> None:
        self._database = database
        self._pipeline = pipeline
        self._currency = currency
        self._clock = clock

    async def merge(self, keep: str, absorb: str) -> MergePreview:
        """Both are ids of people who are there."""
        async with self._database.connection() as connection:
            kept, moved = [await self._stored(connection, each) for each in (keep, absorb)]
        told = await self._done(keep, "customer.linked", {"keep": keep, "absorb": absorb})
        if [one.profile_id for one in told] != [keep]:
            raise Problem(409, "changed_meanwhile", "they have changed meanwhile; ask again")
        [result] = told
        consents = result.consents
        withdrawn = [
            purpose
            for purpose, granted in sorted(consents.items())
            if not granted and (kept.consents.get(purpose) or moved.consents.get(purpose))
        ]
        return MergePreview(kept, moved, result, withdrawn)

    async def unmerge(self, profile_id: str, identifiers: Sequence[str]) -> UnmergePreview:
        """Identifiers of theirs, of which some stay."""
        asked = {"identifiers": sorted(identifiers)}
        told = await self._done(profile_id, "customer.unlinked", asked)
        if len(told) != 2:
            raise Problem(409, "changed_meanwhile", "the person has changed meanwhile; ask again")
        [stays] = [one for one in told if one.profile_id == profile_id]
        [leaves] = [one for one in told if one.profile_id != profile_id]
        async with self._database.connection() as connection:
            restored = bool(await reads.aliases(connection, [leaves.profile_id]))
        return UnmergePreview(stays, leaves, restored)

    async def _done(
        self, profile_id: str, event_type: str, properties: Mapping[str, Any]
    ) -> list[Portrait]:
        """Everybody who would be left, as they would be."""
        now = self._clock()
        event = command(profile_id, event_type, properties, now)
        record = Record(
            topic_of(event_type), _NOWHERE, _NOWHERE, event_key(event.customer),
            encode_event(event), (), int(moment(now).timestamp() * 1000),
        )  # fmt: skip
        found: list[Portrait] = []
        try:
            async with self._database.transaction() as tx:
                outcome = await self._pipeline.apply(tx, [record])
                for each in outcome.outgoing:
                    told = decode_profile_changed(each.message.value)
                    if told.merged_into is None:
                        found.append(await self._portrait(tx, told.snapshot))
                raise _Undone
        except _Undone:
            return found

    async def _stored(self, connection: Connection, profile_id: str) -> Portrait:
        [found] = await reads.people(connection, [profile_id])
        return await self._portrait(connection, decode_snapshot(found.snapshot))

    async def _portrait(self, connection: Connection, snapshot: Snapshot) -> Portrait:
        facts = snapshot.facts
        ids = [snapshot.profile_id, *snapshot.merged_from]
        return Portrait(
            snapshot.profile_id,
            _shown(facts),
            await reads.events_by_type(connection, ids),
            facts.orders.count,
            from_minor(facts.orders.total, self._currency),
            sorted(name for name, tag in snapshot.tags.items() if tag.holds(self._clock())),
            {purpose: consent.granted for purpose, consent in sorted(facts.consents.items())},
            list(snapshot.merged_from),
        )


def _shown(facts: Facts) -> dict[str, list[str]]:
    return {
        namespace: sorted(
            shown or ("****" if namespace in PERSONAL_NAMESPACES else token)
            for token, shown in held.items()
        )
        for namespace, held in sorted(facts.identifiers.items())
    }
