"""`python -m services.gateway.main audit verify [--head SEQ:HASH]`: is the trail as it was
written, and as long as it was?"""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from services.gateway.command_words import Words
from services.gateway.domain.chain import Fault, Link
from services.gateway.stores.audit import AuditTrail
from services.gateway.verifying import verify
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

_HEAD: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class Told(msgspec.Struct, frozen=True):
    """`head` is the newest entry's, as `--head` takes it, to be kept elsewhere."""

    intact: bool
    head: str
    fault: Fault | None


async def verify_audit(database: Database, words: Sequence[str], clock: Clock) -> int:
    """Prints what it found as JSON. Raises SettingsError for words that do not exist."""
    kept = _kept(words)
    await database.open()
    try:
        verdict = await verify(AuditTrail(database, clock), kept)
    finally:
        await database.close()
    through = verdict.through
    told = Told(verdict.fault is None, f"{through.seq}:{through.hash.hex()}", verdict.fault)
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    return 0


def _kept(words: Sequence[str]) -> Link | None:
    parser = Words(prog="audit")
    commands = parser.add_subparsers(required=True, metavar="verify")
    command = commands.add_parser("verify", help="walk along the audit trail")
    command.add_argument("--head", type=_head, help="SEQ:HASH, kept earlier")
    read: Link | None = parser.parse_args(words).head
    return read


def _head(text: str) -> Link:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("a head is SEQ:HASH")
    return Link(int(found[1]), bytes.fromhex(found[2]))
