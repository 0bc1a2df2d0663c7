"""The stack's own operator, who can sign in from the start, and the tool that makes others."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.gateway_tool import ask_gateway

EMAIL: Final = "admin@zhiyin.local"


class NewOperator(msgspec.Struct, frozen=True):
    """What the gateway's tool prints, as far as it is needed."""

    email: str
    password: str


def create_operator(env: Mapping[str, str], options: Sequence[str]) -> str:
    """Makes one with the gateway's own command, which prints JSON. Raises EmbeddedError with what
    it says."""
    return ask_gateway(["operators", "create", *options], env, "the operator could not be made")


def own_operator(env: Mapping[str, str]) -> NewOperator:
    """An admin with a password nobody has to change: it stands in connection.json alone."""
    words = ["--email", EMAIL, "--name", "Admin", "--role", "admin", "--keep-password"]
    try:
        return msgspec.json.decode(create_operator(env, words), type=NewOperator)
    except msgspec.DecodeError as error:
        raise EmbeddedError(f"the operator could not be made: {error}") from error
