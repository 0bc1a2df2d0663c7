"""zhiyin keys"""

from typing import Annotated

import typer

from zhiyin.cli.options import HERE, Data
from zhiyin.cli.target import service_env
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.keys import create_key
from zhiyin.runtime.settings import environment


def create(
    scopes: Annotated[
        str, typer.Option(help="Comma separated, e.g. events:write,profiles:read.")
    ] = "",
    role: Annotated[str | None, typer.Option(help="A named set of scopes, e.g. analyst.")] = None,
    name: Annotated[str | None, typer.Option(help="A name to know it by.")] = None,
    data: Data = HERE,
) -> None:
    """Make an API key, printed as JSON. It is shown once: only its hash is kept."""
    if not (scopes or role):
        raise EmbeddedError("give --scopes or --role")
    options = ["--scopes", scopes] if scopes else []
    options += ["--role", role] if role else []
    options += ["--name", name] if name else []
    typer.echo(create_key(service_env(Folder(data.absolute()), environment()), options))
