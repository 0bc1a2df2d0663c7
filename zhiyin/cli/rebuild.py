"""zhiyin rebuild"""

from typing import Annotated, Literal

import typer

from zhiyin.cli.options import HERE, Data
from zhiyin.cli.target import service_env
from zhiyin.embedded.child import last_text_line, run
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.instance import service_command
from zhiyin.runtime.settings import environment


def rebuild(
    what: Annotated[Literal["profile"], typer.Argument(help="What to make anew from the events.")],
    data: Data = HERE,
) -> None:
    """Have the workers fold everybody anew from the event log, while they go on with new events.
    Returns at once; whoever comes out as before is not told of."""
    env = service_env(Folder(data.absolute()), environment())
    result = run(service_command(what, ["rebuild"], env))
    if result.returncode != 0:
        said = last_text_line(result.stderr or result.stdout).removeprefix("error: ")
        raise EmbeddedError(f"rebuilding could not be started: {said}")
    typer.echo("started: the workers do it page by page, beside their other work")
