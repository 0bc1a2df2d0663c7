"""Keeps the logs of a long-running stack from filling the disk."""

import shutil
from pathlib import Path

LARGEST_BYTES = 64 * 1024 * 1024


def rotate(logs: Path) -> None:
    """Each log that grew beyond 64 MiB is kept once as `<name>.1` and begun anew. Writers keep
    their open file (they append), so a line written at that very moment may be lost."""
    for log in logs.glob("*.log"):
        if log.stat().st_size > LARGEST_BYTES:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            with log.open("r+b") as file:
                file.truncate(0)
