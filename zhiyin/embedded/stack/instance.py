"""One process of a service."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM

from zhiyin.embedded import child
from zhiyin.embedded.child import Command
from zhiyin.embedded.stack.backoff import Backoff
from zhiyin.embedded.stack.state import InstanceState


def python(*arguments: str) -> list[str]:
    """Our own Python, with nothing imported from the current folder by accident."""
    return [sys.executable, "-P", *arguments]


def service_command(service: str, words: Sequence[str], env: Mapping[str, str]) -> Command:
    """Runs `python -m services.<service>.main <words>`. Killed with its supervisor: what it did
    not commit is done again."""
    line = python("-m", f"services.{service}.main", *words)
    return Command(line, env=env, death_signal=SIGKILL)


@dataclass
class Instance:
    """A process that stays: started again on the same port when it ends."""

    service: str
    name: str
    port: int
    env: Mapping[str, str]
    log: Path
    backoff: Backoff = field(default_factory=Backoff)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """None when it is not running."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self) -> None:
        self.process = child.start(service_command(self.service, ["serve"], self.env), self.log)
        self.backoff.started(time.monotonic())

    def ask_to_stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(SIGTERM)

    def wait_until_stopped(self, deadline: float) -> None:
        """Until the monotonic `deadline`, then kills."""
        if self.process:
            child.stop(self.process, SIGTERM, patience=max(0.1, deadline - time.monotonic()))

    def state(self) -> InstanceState:
        return InstanceState(self.service, self.name, self.pid, self.port, self.backoff.total)
