"""A whole platform that a test may ask, break and stop."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.cli.running import zhiyin

READY_SECONDS = 90


@dataclass(frozen=True)
class RunningStack:
    folder: Path
    port: int

    def up(self, *words: str) -> None:
        result = zhiyin("up", "--detach", "--data", self.folder, "--port", str(self.port), *words)
        assert result.returncode == 0, result.stdout + result.stderr

    def down(self) -> None:
        result = zhiyin("down", "--data", self.folder)
        assert result.returncode == 0, result.stderr

    def connection(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "connection.json").read_text()))

    def status(self) -> dict[str, Any]:
        return dict(json.loads(zhiyin("status", "--json", "--data", self.folder).stdout))

    def supervisor(self) -> int:
        return int((self.folder / "lock").read_text())

    def pids(self) -> dict[str, int]:
        """Of every process and server, by name."""
        status = self.status()
        pids = {process["instance"]: process["pid"] for process in status["processes"]}
        return pids | {server["service"]: server["pid"] for server in status["servers"]}

    def wait_until_ready(self) -> dict[str, Any]:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            status = self.status()
            if status["ready"]:
                return status
            assert time.monotonic() < deadline, status
            time.sleep(0.2)

    def call(
        self, method: str, path: str, key: str = "admin_key", body: object = None
    ) -> httpx.Response:
        connection = self.connection()
        return httpx.request(
            method,
            connection["gateway"] + path,
            json=body,
            headers={"Authorization": f"Bearer {connection[key]}"},
            timeout=10,  # as the libraries of storefronts wait
            trust_env=False,
        )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 30
    while left := [pid for pid in pids if is_running(pid)]:
        assert time.monotonic() < deadline, f"{left} are still there"
        time.sleep(0.05)
