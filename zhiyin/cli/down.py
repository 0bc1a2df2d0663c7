"""zhiyin down"""

import typer

from zhiyin.cli.options import HERE, Data
from zhiyin.embedded.stack.down import stop_stack
from zhiyin.embedded.stack.folder import Folder


def down(data: Data = HERE) -> None:
    """Stop the platform. Its data stays; stopping what is not running is no error."""
    stopped = stop_stack(Folder(data.absolute()))
    typer.echo("stopped" if stopped else f"nothing is running in {data}")
