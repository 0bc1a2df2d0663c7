"""zhiyin operators"""

from typing import Annotated

import typer

from zhiyin.cli.options import HERE, Data
from zhiyin.cli.target import service_env
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.operators import create_operator
from zhiyin.runtime.settings import environment


def create(
    email: Annotated[str, typer.Option(help="The e-mail address to sign in with.")],
    name: Annotated[str, typer.Option(help="Who it is.")],
    role: Annotated[str, typer.Option(help="admin, marketer, viewer, …")] = "admin",
    brands: Annotated[
        str, typer.Option(help="Comma separated: sees and changes only their campaigns.")
    ] = "",
    data: Data = HERE,
) -> None:
    """Make an operator's account, printed as JSON with a password. It is shown once, and has to be
    changed at the first sign-in."""
    options = ["--email", email, "--name", name, "--role", role]
    options += ["--brands", brands] if brands else []
    typer.echo(create_operator(service_env(Folder(data.absolute()), environment()), options))
