"""The identity graph in PostgreSQL: which identifier leads to whom.

Locks are always taken in the same order (identifiers that are new, in their order; then people,
by id), so that links arriving on several partitions at once never deadlock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from services.profile.domain.packed import PackedSnapshot, decode_packed
from services.profile.domain.parting import Origin
from services.profile.domain.party import KnownPerson, Link, Ties
from services.profile.domain.person_event import Identifier
from services.profile.domain.tagging import Tagging, decode_tagging
from zhiyin.runtime.batch import Connection


class Claim(NamedTuple):
    """An identifier nobody has, whose it is to be, and through which former person it comes."""

    identifier: Identifier
    profile_id: str
    via: str | None


_LINKS: Final = """
SELECT i.namespace, i.token, i.shared, i.others, i.former,
       p.profile_id, p.created_at, p.members, p.links
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
INSERT INTO identity (namespace, token, profile_id, via)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
  AS n (namespace, token, profile_id, via)
ORDER BY 1, 2 ON CONFLICT (namespace, token) DO NOTHING RETURNING 1
"""
_LOCK: Final = """
SELECT profile_id, links, snapshot, tagging FROM profile
WHERE profile_id = ANY($1::text[]) ORDER BY profile_id FOR UPDATE
"""
_LOCK_FREE: Final = f"{_LOCK} SKIP LOCKED"


# Under which id people go now, since those who were parted may have been merged with others.
_HELD: Final = """
SELECT profile_id, namespace, count(*) FROM identity
WHERE profile_id = ANY($1::text[]) GROUP BY 1, 2
"""
_PARTED: Final = """
WITH ids AS (
  SELECT w.root, w.root AS id FROM unnest($1::text[]) AS w (root)
  UNION ALL SELECT kept, profile_id FROM alias WHERE kept = ANY($1::text[])
), pairs AS (
  SELECT ids.root, p.other FROM ids JOIN parted p ON p.one = ids.id
  UNION SELECT ids.root, p.one FROM ids JOIN parted p ON p.other = ids.id
)
SELECT pairs.root, coalesce(a.kept, pairs.other)
FROM pairs LEFT JOIN alias a ON a.profile_id = pairs.other
"""
_NOTE_USES: Final = """
UPDATE identity i SET others = ARRAY(
  SELECT DISTINCT unnest(i.others || w.members) ORDER BY 1)
FROM (SELECT namespace, token, array_agg(member) AS members
      FROM unnest($1::text[], $2::text[], $3::text[]) AS u (namespace, token, member)
      GROUP BY 1, 2) w
WHERE i.namespace = w.namespace AND i.token = w.token
"""


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
    for namespace, token, shared, others, former, profile_id, created_at, members, counted in rows:
        found[(namespace, token)] = Link(profile_id, shared, frozenset(others), former)
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
        [name for (name, _), _, _ in claims],
        [token for (_, token), _, _ in claims],
        [profile_id for _, profile_id, _ in claims],
        [via for _, _, via in claims],
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


async def ties(tx: Connection, profile_ids: Iterable[str]) -> Ties:
    """How many identifiers these people have, and from whom they were parted, by the ids under
    which everybody goes now."""
    wanted = sorted(set(profile_ids))
    held: dict[str, dict[str, int]] = {}
    for profile_id, namespace, count in await tx.fetch(_HELD, wanted):
        held.setdefault(profile_id, {})[namespace] = count
    return Ties(held, frozenset((one, other) for one, other in await tx.fetch(_PARTED, wanted)))


async def note_uses(
    tx: Connection, seen_with: Mapping[Identifier, Collection[str]], shared: Collection[Identifier]
) -> None:
    """With which other members identifiers were seen, and which of them link nobody any more."""
    uses = sorted(
        (namespace, token, member)
        for (namespace, token), members in seen_with.items()
        for member in members
    )
    if uses:
        await tx.execute(_NOTE_USES, *map(list, zip(*uses, strict=True)))
    if shared:
        await tx.execute(
            """
            UPDATE identity i SET shared = true
            FROM unnest($1::text[], $2::text[]) AS w (namespace, token)
            WHERE i.namespace = w.namespace AND i.token = w.token
            """,
            [name for name, _ in shared],
            [token for _, token in shared],
        )


async def take(tx: Connection, taken: Sequence[tuple[Identifier, str, str]]) -> bool:
    """Let shared identifiers lead to somebody new: (identifier, from whom, to whom); False if they
    are no longer whose they were."""
    if not taken:
        return True
    rows = await tx.fetch(
        """
        UPDATE identity i SET profile_id = w.new, former = NULL, via = NULL
        FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
          AS w (namespace, token, old, new)
        WHERE i.namespace = w.namespace AND i.token = w.token AND i.profile_id = w.old RETURNING 1
        """,
        [name for (name, _), _, _ in taken],
        [token for (_, token), _, _ in taken],
        [old for _, old, _ in taken],
        [new for _, _, new in taken],
    )
    return len(rows) == len(taken)


async def identifiers(tx: Connection, profile_id: str) -> dict[Identifier, Origin]:
    """A person's identifiers, and how each came to them."""
    rows = await tx.fetch(
        "SELECT namespace, token, former, via FROM identity WHERE profile_id = $1 ORDER BY 1, 2",
        profile_id,
    )
    return {(namespace, token): Origin(former, via) for namespace, token, former, via in rows}


async def identifiers_parted_from(tx: Connection, profile_id: str) -> list[Identifier]:
    """What belongs to those from whom a person was parted."""
    others = sorted({other for _, other in (await ties(tx, [profile_id])).parted})
    rows = await tx.fetch(
        "SELECT namespace, token FROM identity WHERE profile_id = ANY($1::text[]) ORDER BY 1, 2",
        others,
    )
    return [(namespace, token) for namespace, token in rows]
