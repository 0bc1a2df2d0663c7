"""One supervisor per data folder. The kernel drops the lock when its holder dies, however."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zhiyin.embedded.errors import EmbeddedError


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Holds the lock. Raises EmbeddedError if another process does."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError(
                f"already running in {path.parent} (pid {holder(path)}): `zhiyin down` stops it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def holder(path: Path) -> int | None:
    """The pid of the supervisor that runs there, if one does."""
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = file.read()
                return int(text) if text.isdecimal() else None
            return None
    except OSError:
        return None
