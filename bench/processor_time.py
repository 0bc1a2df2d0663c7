"""Where processor time goes: by process, PostgreSQL's by the service that asked."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

_TICK: Final = 1_000_000 // os.sysconf("SC_CLK_TCK")
_WHO: Final = (
    "SELECT pid, coalesce(nullif(application_name, ''), backend_type) FROM pg_stat_activity"
)


class ProcessorTime:
    """Of named processes, and of every process of a PostgreSQL server."""

    def __init__(
        self, processes: Mapping[str, int], postmaster: int, db: asyncpg.Connection
    ) -> None:
        self._processes = processes
        self._postmaster = postmaster
        self._db = db
        self._names: dict[int, str] = {}

    async def read(self) -> Counter[str]:
        """Microseconds so far, by name."""
        for pid, name in await self._db.fetch(_WHO):
            self._names[pid] = f"PostgreSQL for {name.removeprefix('zhiyin-')}"
        found: Counter[str] = Counter()
        for pid, parent, used in _all():
            if parent == self._postmaster:
                found[self._names.get(pid, "PostgreSQL, other")] += used
            for name, process in self._processes.items():
                if process == pid:
                    found[name] += used
        return found


def _all() -> list[tuple[int, int, int]]:
    """(pid, its parent's, microseconds in user and kernel mode) of every process."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            found.append(
                (int(place.name), int(fields[1]), (int(fields[11]) + int(fields[12])) * _TICK)
            )
    return found
