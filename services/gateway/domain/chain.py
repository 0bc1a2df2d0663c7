"""The chain of the audit trail: each entry holds the hash of the one before."""

import hashlib
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant


class Entry(Struct, frozen=True):
    """Who (`actor`) did what (`action`) to what (`subject`). `detail` says why or how."""

    actor: str
    action: str
    subject: str
    detail: dict[str, str] = {}
    trace_id: str = ""


class Audited(Struct, frozen=True):
    """An entry as it stands in the trail."""

    seq: int
    at: Instant
    entry: Entry
    prev_hash: bytes
    hash: bytes


class Link(Struct, frozen=True):
    """A place in the chain: kept elsewhere, it proves everything up to it."""

    seq: int
    hash: bytes


class Fault(Struct, frozen=True):
    """The first entry that is not as it was written.

    - `missing`: it was deleted
    - `altered`: it does not say what its hash was made of
    - `unlinked`: it does not follow the one before: moved, put in, or that one was rewritten
    - `cut_off`: the trail ends before the head that was kept
    - `rewritten`: it hangs together, but is not the trail whose head was kept
    """

    seq: int
    code: Literal["missing", "altered", "unlinked", "cut_off", "rewritten"]


START: Final = Link(0, b"\0" * 32)


def chained(seq: int, at: Instant, entry: Entry, prev_hash: bytes) -> Audited:
    """The next link: SHA-256 over the previous hash and everything the row says."""
    said = msgspec.json.encode([seq, at, entry], order="deterministic")
    return Audited(seq, at, entry, prev_hash, hashlib.sha256(prev_hash + said).digest())


def followed(place: Link, entries: Sequence[Audited], kept: Link | None) -> Link | Fault:
    """How far the chain holds, from `place` through `entries` (in order); `kept`: a head that
    was written down earlier."""
    for entry in entries:
        if entry.seq != place.seq + 1:
            return Fault(place.seq + 1, "missing")
        if entry.prev_hash != place.hash:
            return Fault(entry.seq, "unlinked")
        if chained(entry.seq, entry.at, entry.entry, entry.prev_hash).hash != entry.hash:
            return Fault(entry.seq, "altered")
        place = Link(entry.seq, entry.hash)
        if kept is not None and kept.seq == place.seq and kept.hash != place.hash:
            return Fault(place.seq, "rewritten")
    return place
