"""The servers a benchmark runs on: real ones, started for it and thrown away after it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zhiyin.embedded.kafka import Kafka
from zhiyin.embedded.ports import free_port
from zhiyin.embedded.postgres import Postgres
from zhiyin.embedded.valkey import Valkey

SECRET = "benchmark-only-" + "k" * 32
SERVICES = ("profile", "segmentation", "engagement", "gateway")


@dataclass
class Servers:
    folder: Path
    postgres: Postgres
    valkey: Valkey
    kafka: Kafka | None

    def env(self, **more: str) -> dict[str, str]:
        """What a service process is told."""
        log = {"ZHIYIN_KAFKA": self.kafka.url} if self.kafka else {}
        return {
            "PATH": os.environ["PATH"],
            "ZHIYIN_POSTGRES": self.postgres.dsn,
            "ZHIYIN_REDIS": self.valkey.url,
            "ZHIYIN_SECRET_KEY": SECRET,
            "ZHIYIN_LOG_LEVEL": "warning",
            **log,
            **more,
        }

    def run(self, service: str, *arguments: str) -> str:
        """A command of a service, to its end; its output."""
        line = [sys.executable, "-m", f"services.{service}.main", *arguments]
        return subprocess.run(
            line, env=self.env(), capture_output=True, text=True, check=True
        ).stdout

    @contextmanager
    def serving(self, service: str, **more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
        """A service process, and the address it listens on."""
        address = f"127.0.0.1:{free_port()}"
        line = [sys.executable, "-m", f"services.{service}.main", "serve"]
        settings = {"ZHIYIN_INSTANCE": f"{service}-1", "ZHIYIN_LISTEN": address, **more}
        with (self.folder / f"{service}.log").open("ab") as log:
            process = subprocess.Popen(
                line, env=self.env(**settings), stdout=log, stderr=subprocess.STDOUT
            )
        try:
            yield process, f"http://{address}"
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def servers(*, kafka: bool) -> Iterator[Servers]:
    """PostgreSQL, Valkey and, if asked for, Apache Kafka in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="zhiyin-bench-") as name:
        folder = Path(name)
        postgres = Postgres(folder / "pg", folder / "pg.log")
        valkey = Valkey(folder / "valkey", folder / "valkey.log")
        cluster = Kafka(folder / "kafka", folder, os.environ) if kafka else None
        postgres.start()
        valkey.start()
        try:
            if cluster:
                cluster.start()
            yield Servers(folder, postgres, valkey, cluster)
        finally:
            if cluster:
                cluster.stop()
            valkey.stop()
            postgres.stop()


def memory_mib(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of a process, in MiB."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor time of a process so far, in user and kernel mode."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
