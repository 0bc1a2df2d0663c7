"""A server as a child process: started apart from the terminal, gone when its parent is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zhiyin.embedded import launch
from zhiyin.embedded.errors import EmbeddedError

PLAIN: Mapping[str, str] = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""The environment of servers that need nothing of ours."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `identity` is the one of `zhiyin.embedded.launch`; `death_signal` is what the
    process gets when its parent dies without stopping it."""

    arguments: Sequence[str]
    env: Mapping[str, str] = field(default_factory=lambda: PLAIN)
    identity: str = "same"
    death_signal: signal.Signals = signal.SIGKILL
    directory: Path | None = None

    def line(self) -> list[str]:
        parent = str(os.getpid())
        ours = [sys.executable, "-I", launch.__file__, parent, str(int(self.death_signal))]
        return [*ours, self.identity, *self.arguments]


def start(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Starts it with its output appended to `log`. Call from a thread that lives as long as the
    process should: the kernel's parent-death signal watches the thread, not the process."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command.line(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(command.env),
            cwd=command.directory,
            start_new_session=True,
        )


def run(command: Command, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Runs a short-lived command to its end, capturing both outputs as text."""
    try:
        return subprocess.run(
            command.line(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=dict(command.env),
            cwd=command.directory,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        name = Path(command.arguments[0]).name
        raise EmbeddedError(f"{name} did not finish within {timeout:.0f} s") from error


def stop(
    process: subprocess.Popen[bytes], first: signal.Signals, patience: float, wait: float = 5
) -> None:
    """Sends `first`, waits `patience` seconds, then kills. Quiet if it has already ended."""
    if process.poll() is not None:
        return
    process.send_signal(first)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(wait)


def last_line(log: Path) -> str:
    """The newest line a process has said, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            return last_text_line(file.read().decode(errors="replace"))
    except OSError:
        return last_text_line("")


def last_text_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
