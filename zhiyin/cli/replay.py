"""zhiyin replay"""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from zhiyin.cli.options import HERE, Data
from zhiyin.demo.loading import demo_part
from zhiyin.runtime.clock import wall_clock


def replay(
    source: Annotated[
        str, typer.Argument(help="A JSONL file of events, or purchases, clicks, words.")
    ],
    data: Data = HERE,
    rate: Annotated[
        float | None, typer.Option(min=0.1, help="Events a second; without, as fast as taken.")
    ] = None,
    as_import: Annotated[
        bool, typer.Option("--as-import", help="Mark all as history: they trigger nothing.")
    ] = False,
) -> None:
    """Post events to the running platform; sent twice they count once. Exits 1 when some were
    rejected."""
    replaying = demo_part("zhiyin.demo.replaying")
    posting = replaying.run_replay(
        Console(), source, data, wall_clock(), rate=rate, as_import=as_import
    )
    raise typer.Exit(0 if asyncio.run(posting) else 1)
