"""Starts the supervisor in the background and waits until the stack is ready."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from zhiyin.embedded.child import last_line
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.folder import Folder
from zhiyin.embedded.stack.lock import holder
from zhiyin.embedded.stack.servers import Tell
from zhiyin.embedded.stack.state import State, read_state

POLL_SECONDS = 0.1
STOP_SECONDS = 120


def start_in_background(
    folder: Folder, words: Sequence[str], environ: Mapping[str, str], tell: Tell
) -> State:
    """Runs `zhiyin <words>` apart from the terminal; tells what it is doing until it is ready.
    Raises EmbeddedError with its last words if it gives up."""
    if (pid := holder(folder.lock)) is not None:
        raise EmbeddedError(f"already running in {folder.root} (pid {pid}): `zhiyin down` stops it")
    with folder.supervisor_log.open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-P", "-m", "zhiyin.cli.main", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(environ),
            start_new_session=True,
        )
    try:
        return wait_until_ready(folder, supervisor, tell)
    except BaseException:
        # also when the user presses Ctrl-C: what he did not wait for does not stay
        supervisor.terminate()
        raise


def wait_until_ready(folder: Folder, supervisor: subprocess.Popen[bytes], tell: Tell) -> State:
    told = ""
    while True:
        state = read_state(folder)
        if state is not None and state.pid == supervisor.pid:
            if state.phase == "ready":
                return state
            if state.doing != told:
                told = state.doing
                tell(told)
        if supervisor.poll() is not None:
            raise EmbeddedError(last_line(folder.supervisor_log).removeprefix("zhiyin: "))
        time.sleep(POLL_SECONDS)
