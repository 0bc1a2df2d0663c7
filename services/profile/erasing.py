"""Erasing a person: everything this service keeps of them, in one transaction."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from services.profile import tombstones
from services.profile.domain.messages import erased_message, message_id
from services.profile.domain.packed import PackedSnapshot
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.tombstones import marks_of
from services.profile.identify import Found
from zhiyin.contracts.events import PERSONAL_NAMESPACES
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.properties.customer import CustomerErased
from zhiyin.contracts.topics import PROFILE_CHANGED
from zhiyin.runtime.batch import Connection, Outgoing
from zhiyin.runtime.dead_letters import forget_mentions
from zhiyin.runtime.erasures import affected
from zhiyin.runtime.log import Message

_DELETE_BY_PERSON = {
    "profile.event": "DELETE FROM event WHERE profile_id = ANY($1::text[])",
    "profile.alias": "DELETE FROM alias WHERE kept = ANY($1::text[])",
    "profile.parted": "DELETE FROM parted WHERE one = ANY($1::text[]) OR other = ANY($1::text[])",
    "profile.timer": "DELETE FROM timer WHERE profile_id = ANY($1::text[])",
    "profile.missed_copy": "DELETE FROM missed_copy WHERE profile_id = ANY($1::text[])",
    "profile.profile": "DELETE FROM profile WHERE profile_id = ANY($1::text[])",
}
_DELETE_IDENTIFIERS = """
DELETE FROM identity WHERE profile_id = ANY($1::text[]) RETURNING namespace, token, shared
"""


class Remains(Struct, frozen=True):
    """What has to be known of an erased person until all services are done with them.

    - `told`: profile ids the other services hear of; `profile_ids`: those and all former ones
    - `identifiers`: all of theirs; `tokens`: the personal ones nobody else uses
    - `shared`: how many personal ones somebody else uses too
    """

    told: tuple[str, ...] = ()
    profile_ids: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    tokens: tuple[Identifier, ...] = ()
    shared: int = 0


class Erased(Struct, frozen=True):
    erasure_id: str
    remains: Remains
    outgoing: tuple[Outgoing, ...]


def erasure_in(events: Sequence[PersonEvent]) -> CustomerErased | None:
    """The command among a person's events, if there is one."""
    found = (event.properties for event in events)
    return next((each for each in found if isinstance(each, CustomerErased)), None)


async def erase(
    tx: Connection, found: Found, command: CustomerErased, partition: int, now: Instant
) -> Erased:
    """Everybody in `found` is locked, and their identifiers are entered: so nothing of theirs is
    written beside us, and what comes later meets the tombstones."""
    locked = [*([found.kept] if found.kept else []), *found.absorbed]
    snapshots = [one.snapshot for one in locked]
    told = tuple(snapshot.profile_id for snapshot in snapshots)
    ids = tuple(dict.fromkeys((*told, *(i for one in snapshots for i in one.merged_from))))
    rows = await tx.fetch(_DELETE_IDENTIFIERS, list(ids))
    remains = _remains(told, ids, [(name, token, shared) for name, token, shared in rows])
    own = [(name, token) for name, token, shared in rows if not shared]
    await tombstones.set_up(tx, command.erasure_id, marks_of(ids, own))
    counts = {"profile.identity": len(rows)}
    for store, statement in _DELETE_BY_PERSON.items():
        counts[store] = affected(await tx.execute(statement, list(ids)))
    counts["profile.dead_letter"] = await forget_mentions(
        tx,
        [f"{name}:{token}" for name, token in own] + [f"profile_id:{one}" for one in ids],
        [*_mentions(own), *(one.encode() for one in ids)],
    )
    await _note(tx, command.erasure_id, now, counts, remains)
    return Erased(
        command.erasure_id, remains, tuple(_farewell(one, partition, now) for one in snapshots)
    )


async def nothing_to_erase(tx: Connection, erasure_id: str, now: Instant) -> None:
    """The person was gone before the command came."""
    await _note(tx, erasure_id, now, {}, Remains())


def _remains(
    told: tuple[str, ...], ids: tuple[str, ...], rows: Sequence[tuple[str, str, bool]]
) -> Remains:
    personal = [row for row in rows if row[0] in PERSONAL_NAMESPACES]
    return Remains(
        told,
        ids,
        tuple((name, token) for name, token, _ in rows),
        tuple((name, token) for name, token, shared in personal if not shared),
        sum(shared for _, _, shared in personal),
    )


def _mentions(identifiers: Sequence[Identifier]) -> list[bytes]:
    """How an identifier stands in an event as JSON, written by us or by somebody's own pipeline."""
    pairs = [(msgspec.json.encode(name), msgspec.json.encode(token)) for name, token in identifiers]
    return [name + colon + token for name, token in pairs for colon in (b":", b": ")]


async def _note(
    tx: Connection, erasure_id: str, now: Instant, counts: dict[str, int], remains: Remains
) -> None:
    await tx.execute(
        """
        INSERT INTO erasure (erasure_id, at, counts, remains) VALUES ($1, $2, $3, $4)
        ON CONFLICT (erasure_id) DO NOTHING
        """,
        erasure_id,
        now,
        msgspec.json.encode(counts).decode(),
        msgspec.msgpack.encode(remains),
    )


def _farewell(snapshot: PackedSnapshot, partition: int, now: Instant) -> Outgoing:
    """The last word about a person: their ids, and that they are no more."""
    version = snapshot.version + 1
    identity = message_id(snapshot.profile_id, version)
    last = PackedSnapshot(snapshot.profile_id, version, now, now, merged_from=snapshot.merged_from)
    value = erased_message(str(identity), last, now)
    return Outgoing(identity, partition, Message(PROFILE_CHANGED, snapshot.profile_id, value))
