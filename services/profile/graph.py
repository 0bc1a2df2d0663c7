"""The identity graph in PostgreSQL: which identifier leads to whom.

Locks are always taken in the same order (identifiers that are new, in their order; then people,
by id), so that links arriving on several partitions at once never deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from services.profile.domain.identity import KnownPerson, Link
from services.profile.domain.packed import PackedSnapshot, decode_packed
from services.profile.domain.person_event import Identifier
from services.profile.domain.tagging import Tagging, decode_tagging
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

Claim = tuple[Identifier, str]

_LINKS: Final = """
SELECT i.namespace, i.token, i.shared, p.profile_id, p.created_at, p.members, p.links
FROM unnest($1::text[], $2::text[]) AS w (namespace, token)
JOIN identity i ON i.namespace = w.namespace AND i.token = w.token
JOIN profile p ON p.profile_id = i.profile_id
"""
_PEOPLE: Final = """
SELECT w.asked, p.profile_id, p.created_at, p.members, p.links
FROM unnest($1::text[]) AS w (asked)
LEFT JOIN alias a ON a.profile_id = w.asked
JOIN profile p ON p.profile_id = coalesce(a.kept, w.asked)
"""
_CLAIM: Final = """
INSERT INTO identity (namespace, token, profile_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (namespace, token, profile_id)
ORDER BY 1, 2 ON CONFLICT (namespace, token) DO NOTHING RETURNING 1
"""
_LOCK: Final = """
SELECT profile_id, links, snapshot, tagging FROM profile
WHERE profile_id = ANY($1::text[]) ORDER BY profile_id FOR UPDATE
"""
_LOCK_FREE: Final = f"{_LOCK} SKIP LOCKED"


class Locked(Struct, frozen=True):
    """A person whose row is ours until commit."""

    profile_id: str
    links: int
    snapshot: PackedSnapshot
    tagging: Tagging


async def links(
    tx: Connection, identifiers: Iterable[Identifier]
) -> tuple[dict[Identifier, Link], dict[str, KnownPerson]]:
    """To whom identifiers lead, as far as they are known."""
    wanted = sorted(set(identifiers))
    rows = await tx.fetch(_LINKS, [name for name, _ in wanted], [token for _, token in wanted])
    people: dict[str, KnownPerson] = {}
    found: dict[Identifier, Link] = {}
    for namespace, token, shared, profile_id, created_at, members, counted in rows:
        found[(namespace, token)] = Link(profile_id, shared)
        if profile_id not in people:
            people[profile_id] = KnownPerson(profile_id, created_at, frozenset(members), counted)
    return found, people


async def people(tx: Connection, profile_ids: Iterable[str]) -> dict[str, KnownPerson]:
    """Stored people by the ids asked for, which may be of people merged away."""
    return {
        asked: KnownPerson(profile_id, created_at, frozenset(members), counted)
        for asked, profile_id, created_at, members, counted in await tx.fetch(
            _PEOPLE, sorted(set(profile_ids))
        )
    }


async def claim(tx: Connection, claims: Sequence[Claim]) -> bool:
    """Enter identifiers nobody has; False if somebody was quicker with one."""
    if not claims:
        return True
    rows = await tx.fetch(
        _CLAIM,
        [name for (name, _), _ in claims],
        [token for (_, token), _ in claims],
        [profile_id for _, profile_id in claims],
    )
    return len(rows) == len(claims)


async def lock(
    tx: Connection, profile_ids: Iterable[str], *, wait: bool = True
) -> dict[str, Locked]:
    """Lock people in the order of their ids; those merged away meanwhile are missing, and
    without `wait` those whom others have locked."""
    wanted = sorted(set(profile_ids))
    if not wanted:
        return {}
    return {
        profile_id: Locked(profile_id, counted, decode_packed(snapshot), decode_tagging(tagging))
        for profile_id, counted, snapshot, tagging in await tx.fetch(
            _LOCK if wait else _LOCK_FREE, wanted
        )
    }


async def share(tx: Connection, identifiers: Sequence[Identifier]) -> None:
    """These link nobody any more."""
    if identifiers:
        await tx.execute(
            """
            UPDATE identity SET shared = true WHERE (namespace, token) IN (
              SELECT i.namespace, i.token FROM identity i
              JOIN unnest($1::text[], $2::text[]) AS w (namespace, token)
                ON i.namespace = w.namespace AND i.token = w.token
              ORDER BY 1, 2 FOR UPDATE OF i)
            """,
            [name for name, _ in identifiers],
            [token for _, token in identifiers],
        )


async def absorb(tx: Connection, kept_of: Mapping[str, str], now: Instant) -> None:
    """People (keys) are merged into others (values), whose rows are both locked."""
    gone, kept = list(kept_of), list(kept_of.values())
    await tx.execute(
        """
        UPDATE identity i SET profile_id = m.kept
        FROM unnest($1::text[], $2::text[]) AS m (gone, kept) WHERE i.profile_id = m.gone
        """,
        gone,
        kept,
    )
    await tx.execute(
        """
        UPDATE alias a SET kept = m.kept
        FROM unnest($1::text[], $2::text[]) AS m (gone, kept) WHERE a.kept = m.gone
        """,
        gone,
        kept,
    )
    await tx.execute(
        """
        INSERT INTO alias (profile_id, kept, merged_at)
        SELECT gone, kept, $3 FROM unnest($1::text[], $2::text[]) AS m (gone, kept)
        """,
        gone,
        kept,
        now,
    )
    await tx.execute("DELETE FROM profile WHERE profile_id = ANY($1::text[])", gone)


async def owned(
    tx: Connection, profile_id: str, identifiers: Sequence[Identifier]
) -> list[Identifier]:
    """Those of the identifiers that lead to this person."""
    rows = await tx.fetch(
        """
        SELECT i.namespace, i.token FROM identity i
        JOIN unnest($2::text[], $3::text[]) AS w (namespace, token)
          ON i.namespace = w.namespace AND i.token = w.token
        WHERE i.profile_id = $1 ORDER BY 1, 2
        """,
        profile_id,
        [name for name, _ in identifiers],
        [token for _, token in identifiers],
    )
    return [(namespace, token) for namespace, token in rows]


async def hand_over(tx: Connection, profile_id: str, identifiers: Sequence[Identifier]) -> None:
    """The identifiers lead to `profile_id` now, and link nobody: or the next event that carries
    one of them beside another would undo the parting."""
    await tx.execute(
        """
        UPDATE identity i SET profile_id = $1, shared = true
        FROM unnest($2::text[], $3::text[]) AS w (namespace, token)
        WHERE i.namespace = w.namespace AND i.token = w.token
        """,
        profile_id,
        [name for name, _ in identifiers],
        [token for _, token in identifiers],
    )
