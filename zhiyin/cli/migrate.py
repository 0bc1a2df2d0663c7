"""zhiyin migrate"""

import typer

from zhiyin.cli.options import HERE, Data
from zhiyin.cli.target import service_env
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.migrations import migrate_all
from zhiyin.runtime.settings import environment


def migrate(data: Data = HERE) -> None:
    """Bring the tables of all services up to date (`up` does it too): of the running stack, or
    of the server that ZHIYIN_POSTGRES names."""
    migrate_all(service_env(Folder(data.absolute()), environment()))
    typer.echo("all tables are up to date")
