"""Names that customers' data has brought, written down the first time anybody has them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from services.segmentation.domain.arrival import Arrival
from services.segmentation.domain.event_list import kind_of
from services.segmentation.domain.fact_list import Seen
from zhiyin.contracts.profiles import Snapshot
from zhiyin.rules.numbers import looks_like_time
from zhiyin.runtime.batch import Connection

_ROOTS: Final = ("attributes.", "consents.", "categories.", "tags.", "events.custom.")
# Data that makes up names as it goes must not fill the catalogue.
MOST_NAMES: Final = 10_000


class NamesSeen:
    """`_known`: those that a transaction before this one has left behind."""

    def __init__(self) -> None:
        self._known: set[Seen] = set()

    async def note(self, tx: Connection, arrivals: Sequence[Arrival]) -> None:
        """Write down what is new, as part of the batch."""
        found = {seen for one in arrivals for seen in names_of(one.snapshot, one.changed)}
        new = sorted(found - self._known, key=_order)
        if not new or len(self._known) >= MOST_NAMES:
            return
        self._known |= await self._stored(tx, new)
        await self._store(tx, [each for each in new if each not in self._known])

    async def _stored(self, tx: Connection, asked: Sequence[Seen]) -> set[Seen]:
        rows = await tx.fetch(
            """
            SELECT name, kind FROM name_seen
            JOIN unnest($1::text[], $2::text[]) AS n (name, kind) USING (name, kind)
            """,
            [each.name for each in asked],
            [each.kind for each in asked],
        )
        return {Seen(*row.values()) for row in rows}

    async def _store(self, tx: Connection, new: Sequence[Seen]) -> None:
        """In sorted order, so that two batches with the same names wait rather than deadlock."""
        if new:
            await tx.execute(
                """
                INSERT INTO name_seen (name, kind)
                SELECT name, kind FROM unnest($1::text[], $2::text[]) AS n (name, kind)
                WHERE (SELECT count(*) FROM name_seen) < $3
                ORDER BY name, kind
                ON CONFLICT DO NOTHING
                """,
                [each.name for each in new],
                [each.kind for each in new],
                MOST_NAMES,
            )


def names_of(snapshot: Snapshot, changed: Iterable[str]) -> Iterator[Seen]:
    """Of the dependency names that changed those that data decides."""
    for name in changed:
        if name.startswith("attributes."):
            found = snapshot.facts.attributes.get(name.removeprefix("attributes."))
            value = None if found is None else found.value
            if value is not None:
                time = isinstance(value, str) and looks_like_time(value)
                yield Seen(name, "time" if time else kind_of(value))
        elif name.startswith(_ROOTS):
            yield Seen(name)


async def names_seen(connection: Connection) -> list[Seen]:
    rows = await connection.fetch("SELECT name, kind FROM name_seen ORDER BY name, kind")
    return [Seen(*row.values()) for row in rows]


def _order(seen: Seen) -> tuple[str, str]:
    return seen.name, seen.kind
