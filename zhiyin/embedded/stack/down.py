"""Stops a stack from outside."""

import os
import signal
import time

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.lock import holder

PATIENCE_SECONDS = 150


def stop_stack(folder: Folder) -> bool:
    """Asks the supervisor to stop and waits for it; kills it after 150 s, which ends all its
    children. Returns False if none was running."""
    pid = holder(folder.lock)
    if pid is None:
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise EmbeddedError(f"the stack in {folder.root} is another user's (pid {pid})") from None
    if not gone(folder, pid, PATIENCE_SECONDS):
        os.kill(pid, signal.SIGKILL)
        if not gone(folder, pid, 10):
            raise EmbeddedError(f"the supervisor (pid {pid}) does not end")
    return True


def gone(folder: Folder, pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while holder(folder.lock) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
