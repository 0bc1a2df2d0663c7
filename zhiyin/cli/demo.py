"""`zhiyin demo`: a year of real purchases through the platform, and what came of them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zhiyin.cli.replay import demo_part
from zhiyin.demo.errors import DemoError
from zhiyin.runtime.clock import wall_clock


def demo(
    data: Annotated[Path, typer.Option(help="The running stack's data folder.")] = Path(".zhiyin"),
    events: Annotated[
        int | None, typer.Option(min=1, help="About how many events at most (whole households).")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Events a second; without, as fast as taken.")
    ] = None,
) -> None:
    """Stream real purchases, clicks and words through the gateway; reconcile; show what happened."""
    try:
        run = demo_part("zhiyin.demo.run")
        reconciled = asyncio.run(run.run_demo(Console(), data, wall_clock, events, rate))
    except DemoError as error:
        typer.echo(f"zhiyin: {error}", err=True)
        raise typer.Exit(1) from error
    if not reconciled:
        raise typer.Exit(1)
