"""zhiyin demo"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from zhiyin.cli.options import HERE, Data
from zhiyin.demo.loading import demo_part
from zhiyin.runtime.clock import wall_clock


def demo(
    data: Data = HERE,
    events: Annotated[
        int | None, typer.Option(min=1, help="About how many events at most (whole households).")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Events a second; without, as fast as taken.")
    ] = None,
) -> None:
    """Stream a year of real purchases through the running platform and show what came of it.
    Exits 1 when orders or totals differ from the source's."""
    run = demo_part("zhiyin.demo.run")
    reconciled = asyncio.run(run.run_demo(Console(), data, wall_clock, events, rate))
    raise typer.Exit(0 if reconciled else 1)
