"""The whole platform as real processes that a test may kill, freeze and cut off one by one."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from zhiyin.embedded import child
from zhiyin.embedded.child import Command
from zhiyin.embedded.ports import free_port
from zhiyin.embedded.postgres import Postgres
from zhiyin.embedded.valkey import Valkey

SERVICES = ("gateway", "profile", "segmentation", "engagement")
SECRET = "reliability-tests-only-" + "k" * 32


@dataclass
class Worker:
    """One service process. `port` stays the same across restarts."""

    name: str
    service: str
    port: int
    log: Path
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        if how in (signal.SIGKILL, signal.SIGTERM):
            self.process.wait(60)


@dataclass
class Platform:
    """Starts PostgreSQL, Valkey and the workers; `kafka` None keeps the log in PostgreSQL."""

    folder: Path
    kafka: str | None = None
    partitions: int = 8
    settings: dict[str, str] = field(default_factory=dict)
    workers: dict[str, Worker] = field(default_factory=dict)
    admin_key: str = ""

    def __post_init__(self) -> None:
        self.postgres = Postgres(self.folder / "pg", self.folder / "pg.log")
        self.valkey = Valkey(self.folder / "valkey", self.folder / "valkey.log")
        self.gateway_port = free_port()
        self.receiver_port = free_port()
        self.ledger = self.folder / "received.jsonl"
        self.receiver: subprocess.Popen[bytes] | None = None

    def start(self, **instances: int) -> None:
        """Servers, migrations, the webhook receiver, then `instances` of each service."""
        self.postgres.start()
        self.valkey.start()
        self.start_receiver()
        planned = {service: instances.get(service, 1) for service in SERVICES}
        for service, count in planned.items():
            for number in range(1, count + 1):
                self._plan(service, number)
        for service in SERVICES:
            self._run(service, "migrate")
        created = self._run("gateway", "keys", "create", "--scopes", "admin", "--name", "test")
        self.admin_key = json.loads(created)["key"]
        for name in self.workers:
            self.launch(name)

    def _plan(self, service: str, number: int) -> None:
        name = f"{service}-{number}"
        port = self.gateway_port if service == "gateway" else free_port()
        self.workers[name] = Worker(name, service, port, self.folder / f"{name}.log")

    def add(self, service: str) -> str:
        """One more instance of a service; returns its name."""
        number = sum(worker.service == service for worker in self.workers.values()) + 1
        self._plan(service, number)
        self.launch(f"{service}-{number}")
        return f"{service}-{number}"

    def env(self, worker: Worker | None = None) -> dict[str, str]:
        urls = {
            f"ZHIYIN_{service.upper()}_URLS": ",".join(
                f"http://127.0.0.1:{worker.port}"
                for worker in self.workers.values()
                if worker.service == service
            )
            for service in SERVICES[1:]
        }
        settings = {
            "PATH": os.environ["PATH"],
            "ZHIYIN_POSTGRES": self.postgres.dsn,
            "ZHIYIN_REDIS": self.valkey.url,
            "ZHIYIN_SECRET_KEY": SECRET,
            "ZHIYIN_PARTITIONS": str(self.partitions),
            "ZHIYIN_WEBHOOK_ALLOW": "127.0.0.1",
            "ZHIYIN_LOG_LEVEL": "info",
            "ZHIYIN_GATEWAY_URLS": f"http://127.0.0.1:{self.gateway_port}",
            **urls,
            **self.settings,
        }
        if self.kafka:
            settings["ZHIYIN_KAFKA"] = self.kafka
        if worker:
            settings["ZHIYIN_INSTANCE"] = worker.name
            settings["ZHIYIN_LISTEN"] = f"127.0.0.1:{worker.port}"
            settings.update(worker.extra)
        return settings

    def _run(self, service: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", f"services.{service}.main", *arguments],
            env=self.env(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def launch(self, name: str, **extra: str) -> None:
        worker = self.workers[name]
        worker.extra = extra
        arguments = [sys.executable, "-m", f"services.{worker.service}.main", "serve"]
        worker.process = child.start(Command(arguments, env=self.env(worker)), worker.log)

    def start_receiver(self) -> None:
        module = Path(__file__).with_name("receiver.py")
        arguments = [sys.executable, str(module), str(self.receiver_port), str(self.ledger)]
        self.receiver = child.start(Command(arguments), self.folder / "receiver.log")

    def revive(self) -> None:
        """Start again whatever has ended, as a supervisor would."""
        for name, worker in self.workers.items():
            if not worker.alive:
                self.launch(name)

    def stop(self) -> None:
        for worker in self.workers.values():
            if worker.alive and worker.process is not None:
                worker.process.send_signal(signal.SIGCONT)
                worker.process.terminate()
        for worker in self.workers.values():
            if worker.process is not None:
                try:
                    worker.process.wait(30)
                except subprocess.TimeoutExpired:
                    worker.process.kill()
                    worker.process.wait(10)
        if self.receiver is not None:
            self.receiver.kill()
            self.receiver.wait(10)
        self.valkey.stop()
        self.postgres.stop()

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.gateway_port}",
            headers={"authorization": f"Bearer {self.admin_key}"},
            timeout=30,
        )

    async def ready(self, patience: float = 120) -> None:
        """Waits until every worker says it is ready."""
        async with httpx.AsyncClient(timeout=2) as client:
            for worker in self.workers.values():
                await eventually(
                    lambda worker=worker: _is_ready(client, worker),
                    patience,
                    f"{worker.name} ready",
                )


async def _is_ready(client: httpx.AsyncClient, worker: Worker) -> bool:
    try:
        answer = await client.get(f"http://127.0.0.1:{worker.port}/readyz")
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


async def eventually(check: Callable[[], Any], patience: float, what: str) -> Any:
    """Polls `check` (plain or async) until it is truthy; fails with `what` after `patience` s."""
    deadline = time.monotonic() + patience
    while True:
        value = check()
        if asyncio.iscoroutine(value):
            value = await value
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        await asyncio.sleep(0.2)


async def post(
    client: httpx.AsyncClient, events: list[dict[str, Any]], *, batch: int = 200, lanes: int = 4
) -> dict[str, Any]:
    """Posts all events, trying again on 429, 5xx and lost connections as a storefront would.
    Returns counts of accepted and rejected."""
    queue = [events[at : at + batch] for at in range(0, len(events), batch)]
    queue.reverse()
    total: dict[str, Any] = {"accepted": 0, "rejected": [], "retries": 0}

    async def send() -> None:
        while queue:
            body = {"events": queue.pop()}
            while True:
                try:
                    answer = await client.post("/v1/events", json=body)
                except httpx.HTTPError:
                    answer = None
                if answer is not None and answer.status_code < 500 and answer.status_code != 429:
                    break
                total["retries"] += 1
                await asyncio.sleep(0.3)
            result = answer.json()
            assert answer.status_code in (202, 400), result
            total["accepted"] += result.get("accepted", 0)
            total["rejected"] += result.get("rejected", [])

    await asyncio.gather(*(send() for _ in range(lanes)))
    return total
