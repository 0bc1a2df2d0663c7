"""`python -m services.gateway.main keys create …`: makes a key where there is none to ask with."""

import sys
from collections.abc import Sequence

import msgspec

from services.gateway.command_words import Words, checked, listed
from services.gateway.key_making import KeySpec, make_key
from services.gateway.stores.audit import AuditTrail
from services.gateway.stores.keys import KeyStore
from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database


async def create_key(database: Database, words: Sequence[str], clock: Clock) -> int:
    """Prints the new key as JSON. Raises SettingsError for words and Problem for scopes that do
    not exist."""
    spec = _spec(words)
    await database.open()
    try:
        audit = AuditTrail(database, clock)
        made = await make_key(KeyStore(database), audit, spec, "cli", moment(clock()))
    finally:
        await database.close()
    sys.stdout.write(msgspec.json.encode(made).decode() + "\n")
    return 0


def _spec(words: Sequence[str]) -> KeySpec:
    parser = Words(prog="keys")
    commands = parser.add_subparsers(required=True, metavar="create")
    create = commands.add_parser("create", help="make a key and print it as JSON, this once")
    create.add_argument("--scopes", default="", help="comma separated; may be left out with a role")
    create.add_argument("--role", help="a named set of scopes")
    create.add_argument("--name", default="", help="what it is for")
    create.add_argument("--expires", help="RFC 3339 time with offset")
    create.add_argument("--brands", default="", help="comma separated: only their campaigns")
    read = parser.parse_args(words)
    said = {
        "scopes": listed(read.scopes),
        "role": read.role,
        "name": read.name,
        "expires_at": read.expires,
        "brands": listed(read.brands) or None,
    }
    return checked(said, KeySpec, "keys create")
