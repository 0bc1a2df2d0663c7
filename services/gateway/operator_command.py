"""`python -m services.gateway.main operators create …`: the first admin, where there is nobody who
could make one."""

import argparse
import sys
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from services.gateway.accounts import OperatorSpec
from services.gateway.command_words import Words, checked, listed
from services.gateway.keyring import Keyring
from services.gateway.rotation import Rotation
from services.gateway.sealing import Sealer
from services.gateway.settings import GatewaySettings
from services.gateway.staff import Staff
from services.gateway.stores.audit import AuditTrail
from services.gateway.stores.master_keys import MasterKeyStore
from services.gateway.stores.vault import Vault
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import http_client


class Printed(Struct, frozen=True):
    """`password` is shown this once."""

    id: str
    email: str
    role: str
    password: str | None


async def create_operator(
    settings: GatewaySettings, database: Database, words: Sequence[str], clock: Clock
) -> int:
    """Prints the new operator as JSON. Raises SettingsError for words, and Problem for what they
    say, that cannot be."""
    read = _read(words)
    spec = _spec(read)
    keyring = Keyring(settings.service.secret_key, settings.master_keys)
    sealer = Sealer(keyring.masters)
    await database.open()
    try:
        await Rotation(MasterKeyStore(database), sealer, clock).begin()
        vault, audit = Vault(database, sealer), AuditTrail(database, clock)
        async with http_client() as client:
            staff = Staff(settings, keyring, database, vault, audit, client, clock)
            made = await staff.accounts.create(spec, "cli", must_change=not read.keep_password)
    finally:
        await database.close()
    printed = Printed(made.id, spec.email, spec.role, made.password)
    sys.stdout.write(msgspec.json.encode(printed).decode() + "\n")
    return 0


def _read(words: Sequence[str]) -> argparse.Namespace:
    parser = Words(prog="operators")
    commands = parser.add_subparsers(required=True, metavar="create")
    create = commands.add_parser("create", help="make an account and print its password, this once")
    create.add_argument("--email", required=True, help="to sign in with")
    create.add_argument("--name", required=True)
    create.add_argument("--role", default="admin")
    create.add_argument("--brands", default="", help="comma separated: only their campaigns")
    create.add_argument(
        "--keep-password", action="store_true", help="do not ask for another at the first sign-in"
    )
    return parser.parse_args(words)


def _spec(read: argparse.Namespace) -> OperatorSpec:
    said = {
        "email": read.email,
        "name": read.name,
        "role": read.role,
        "brands": listed(read.brands) or None,
    }
    return checked(said, OperatorSpec, "operators create")
