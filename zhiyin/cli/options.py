"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path, typer.Option("--data", help="The stack's data folder.", metavar="DIR", show_default=True)
]
HERE = Path(".zhiyin")
PORT = 8080
