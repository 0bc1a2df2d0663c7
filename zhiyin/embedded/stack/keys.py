"""The keys that connection.json hands out, and the tool that makes more of them. The operator it
names is made with them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder, decode, write_private
from zhiyin.embedded.stack.gateway_tool import ask_gateway
from zhiyin.embedded.stack.operators import NewOperator, own_operator

SCOPES: Final = {
    "admin_key": "admin",
    "write_key": "events:write",
    "read_key": "profiles:read,segments:read,campaigns:read",
}


class NewKey(msgspec.Struct, frozen=True):
    """What the gateway's tool prints."""

    id: str
    key: str


class KeptKeys(msgspec.Struct, frozen=True):
    """The stack's keys between two runs. `database` says where they are valid."""

    database: str
    keys: dict[str, str]
    operator: NewOperator | None = None


class Connection(msgspec.Struct, frozen=True):
    """The content of connection.json."""

    gateway: str
    admin_key: str
    write_key: str
    read_key: str
    postgres: str
    redis: str
    kafka: str | None
    operator_email: str | None = None
    operator_password: str | None = None


def create_key(env: Mapping[str, str], options: Sequence[str]) -> str:
    """Makes one with the gateway's own command; what it prints is JSON with at least an id and
    the key. Raises EmbeddedError with what it says."""
    return ask_gateway(["keys", "create", *options], env, "the key could not be made")


def own_key(env: Mapping[str, str], name: str) -> str:
    text = create_key(env, ["--scopes", SCOPES[name], "--name", name])
    try:
        return msgspec.json.decode(text, type=NewKey).key
    except msgspec.DecodeError as error:
        raise EmbeddedError(f"the key could not be made: {error}") from error


def stack_keys(folder: Folder, env: Mapping[str, str], database: str) -> KeptKeys:
    """The stack's own keys: those of its last run, or new ones if `database` is another."""
    if folder.keys.exists():
        kept = decode(folder.keys, KeptKeys)
        if kept.database == database and set(SCOPES) <= set(kept.keys):
            return kept
    with ThreadPoolExecutor(len(SCOPES) + 1) as pool:
        operator = pool.submit(_operator, env)
        keys = dict(zip(SCOPES, pool.map(lambda name: own_key(env, name), SCOPES), strict=True))
        made = KeptKeys(database, keys, operator.result())
    write_private(folder.keys, msgspec.json.encode(made))
    return made


def _operator(env: Mapping[str, str]) -> NewOperator | None:
    """None where there is one already, as on a database that has been used before: the keys are
    enough to make another."""
    try:
        return own_operator(env)
    except EmbeddedError:
        return None
