"""How figures are shown and kept."""

import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table


class Figure(Struct, frozen=True):
    what: str
    value: float
    unit: str


def say(what: str) -> None:
    """How far a long benchmark is."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {what}\n")


def show(title: str, figures: Sequence[Figure]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    table.add_column("unit")
    for figure in figures:
        digits = 0 if figure.value >= 100 else 2
        table.add_row(figure.what, f"{figure.value:,.{digits}f}", figure.unit)
    Console().print(table)


def keep(path: Path, results: dict[str, Sequence[Figure]]) -> None:
    """Write all figures, with the machine they came from, as JSON."""
    document = {
        "machine": {"system": platform.platform(), "python": platform.python_version()},
        "results": {
            title: [[figure.what, round(figure.value, 3), figure.unit] for figure in figures]
            for title, figures in results.items()
        },
    }
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
