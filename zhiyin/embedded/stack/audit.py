"""Whether the audit trail is as it was written, checked against the head kept the last time."""

from collections.abc import Mapping

import msgspec

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder, decode, write_private
from zhiyin.embedded.stack.gateway_tool import ask_gateway

_WORDS = {
    "missing": "was deleted",
    "altered": "was changed",
    "unlinked": "was moved, put in, or the one before it rewritten",
    "cut_off": "and all after it were cut off: the head kept earlier is not there",
    "rewritten": "is not the one whose head was kept: the trail was written anew",
}


class Fault(msgspec.Struct, frozen=True):
    seq: int
    code: str


class KeptHead(msgspec.Struct, frozen=True):
    """`database` says of which trail it is the head."""

    database: str
    head: str


class Told(msgspec.Struct, frozen=True):
    """What the gateway's tool prints."""

    intact: bool
    head: str
    fault: Fault | None = None


def check_audit(folder: Folder, env: Mapping[str, str], database: str, given: str | None) -> str:
    """`given`: a head kept elsewhere (SEQ:HASH); without it the one this folder remembers of the
    last check. Returns the head as it is now, which is remembered. Raises EmbeddedError saying
    what was done to the trail."""
    kept = given or _remembered(folder, database)
    words = ["audit", "verify", *(["--head", kept] if kept else [])]
    printed = ask_gateway(words, env, "cannot be checked", timeout=3600)
    told = msgspec.json.decode(printed, type=Told)
    if told.fault is not None:
        raise EmbeddedError(f"entry {told.fault.seq} {_WORDS[told.fault.code]}")
    write_private(folder.audit_head, msgspec.json.encode(KeptHead(database, told.head)))
    return told.head


def _remembered(folder: Folder, database: str) -> str | None:
    if not folder.audit_head.exists():
        return None
    kept = decode(folder.audit_head, KeptHead)
    return kept.head if kept.database == database else None
