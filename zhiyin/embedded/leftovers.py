"""A server that outlived its supervisor, or only the pid file of one that did not."""

import os
import shutil
import subprocess
import time
from pathlib import Path
from signal import SIGINT

from zhiyin.embedded.errors import EmbeddedError

WAIT_SECONDS = 60


def retire_leftover(data: Path) -> None:
    """Makes the cluster in `data` startable. The caller holds the stack's lock, so a server
    still running there has lost its supervisor: it is told to shut down and waited for. A pid
    file whose number now belongs to some other program (usual in containers) is removed, because
    PostgreSQL would refuse to start on it."""
    pid_file = data / "postmaster.pid"
    pid = recorded_pid(pid_file)
    if pid is None:
        return
    if not is_postgres(pid):
        pid_file.unlink(missing_ok=True)
        return
    os.kill(pid, SIGINT)
    deadline = time.monotonic() + WAIT_SECONDS
    while is_postgres(pid):
        if time.monotonic() > deadline:
            raise EmbeddedError(f"another PostgreSQL (pid {pid}) is using {data}: stop it first")
        time.sleep(0.05)


def recorded_pid(pid_file: Path) -> int | None:
    try:
        return int(pid_file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def is_postgres(pid: int) -> bool:
    """Whether that process is a PostgreSQL server that still runs."""
    status = Path(f"/proc/{pid}/status")
    if Path("/proc/self/status").exists():
        try:
            text = status.read_text()
        except OSError:
            return False
        return text.startswith("Name:\tpostgres\n") and "\nState:\tZ" not in text
    ps = shutil.which("ps", path=os.defpath)
    if ps is None:
        return True
    result = subprocess.run(
        [ps, "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return Path(result.stdout.strip()).name == "postgres"
