"""Apache Kafka on this machine, without docker: one broker, or three that stand in for each
other, each a child process."""

import base64
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM

from zhiyin.embedded import child, java
from zhiyin.embedded.child import Command
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.kafka_config import Node, properties
from zhiyin.embedded.ports import LOOPBACK, free_port

START_SECONDS = 120
STOP_SECONDS = 10
STARTED = b"Kafka Server started"
# The second compiler takes as much of the processor in the first minutes as the broker itself, and
# a broker for one machine comes out no faster.
JVM_OPTIONS = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:TieredStopAtLevel=1",
)


@dataclass
class Kafka:
    """A cluster with its data below `folder` and its output in `logs`. Brokers are named by
    number, from 1. What was acknowledged stays when brokers are stopped, killed or restarted."""

    folder: Path
    logs: Path
    environ: Mapping[str, str]
    brokers: int = 1
    nodes: Sequence[Node] = field(default=(), init=False)
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict, init=False)

    @property
    def url(self) -> str:
        """host:port of every broker, comma separated."""
        return ",".join(f"{LOOPBACK}:{node.port}" for node in self.nodes)

    @property
    def pid(self) -> int | None:
        """Of the first broker; None unless all are running."""
        pids = [process.pid for process in self.processes.values() if process.poll() is None]
        return pids[0] if pids and len(pids) == self.brokers else None

    def start(self) -> None:
        """Fetches what is missing, and returns when all brokers serve. Raises EmbeddedError."""
        self._lay_out()
        try:
            marks = {node.number: self._launch(node) for node in self.nodes}
            for number, mark in marks.items():
                self._wait_until_ready(number, mark)
        except EmbeddedError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops all at once, so that nobody waits for a quorum that is leaving."""
        running = [p for p in self.processes.values() if p.poll() is None]
        for process in running:
            process.send_signal(SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            child.stop(process, SIGTERM, patience=max(0.1, deadline - time.monotonic()))
        self.processes.clear()

    def start_broker(self, number: int) -> None:
        """Starts one again, on its port and data; returns when it serves."""
        process = self.processes.get(number)
        if process is not None and process.poll() is None:
            raise EmbeddedError(f"broker {number} is already running")
        self._wait_until_ready(number, self._launch(self._node(number)))

    def stop_broker(self, number: int) -> None:
        child.stop(self._process(number), SIGTERM, patience=STOP_SECONDS)

    def kill_broker(self, number: int) -> None:
        child.stop(self._process(number), SIGKILL, patience=5)

    def log(self, number: int) -> Path:
        return self.logs / f"kafka-{number}.log"

    def _lay_out(self) -> None:
        if self.brokers not in (1, 3):
            raise EmbeddedError(f"one or three brokers can be run, not {self.brokers}")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        check_size(self.folder, self.brokers)
        if not self.nodes:
            ports = distinct_ports(2 * self.brokers)
            self.nodes = tuple(
                Node(i, ports[2 * i - 2], ports[2 * i - 1], self.folder / f"broker-{i}")
                for i in range(1, self.brokers + 1)
            )
        for node in self.nodes:
            self._config(node).write_text(properties(node, self.nodes))
            if not (node.data / "meta.properties").exists():
                self._format(node)

    def _format(self, node: Node) -> None:
        arguments = ["format", "-t", cluster_id(self.folder), "-c", str(self._config(node))]
        tool = self._java((), "kafka.tools.StorageTool", *arguments)
        result = child.run(tool)
        if result.returncode != 0:
            said = (result.stderr or result.stdout).strip().splitlines()
            raise EmbeddedError(
                f"Kafka's storage could not be prepared: {said[-1] if said else ''}"
            )

    def _launch(self, node: Node) -> int:
        """Returns how long the log was before, to tell a new start from an old one."""
        log = self.log(node.number)
        mark = log.stat().st_size if log.exists() else 0
        command = self._java(JVM_OPTIONS, "kafka.Kafka", str(self._config(node)))
        self.processes[node.number] = child.start(command, log)
        return mark

    def _java(self, options: Sequence[str], main: str, *arguments: str) -> Command:
        program = java.java(self.environ)
        path = java.jars(self.environ) / "*"
        settings = java.DEPLOY / "log4j2.properties"
        line = [str(program), *options, f"-Dlog4j2.configurationFile={settings}", "-cp", str(path)]
        return Command([*line, main, *arguments], death_signal=SIGKILL, directory=self.folder)

    def _wait_until_ready(self, number: int, mark: int) -> None:
        process, log = self._process(number), self.log(number)
        deadline = time.monotonic() + START_SECONDS
        while not said_since(log, mark, STARTED):
            if process.poll() is not None:
                raise EmbeddedError(f"Apache Kafka did not start: {child.last_line(log)}")
            if time.monotonic() > deadline:
                raise EmbeddedError(f"Apache Kafka is not ready after {START_SECONDS} s: {log}")
            time.sleep(0.1)

    def _config(self, node: Node) -> Path:
        return self.folder / f"broker-{node.number}.properties"

    def _node(self, number: int) -> Node:
        return next(node for node in self.nodes if node.number == number)

    def _process(self, number: int) -> subprocess.Popen[bytes]:
        if number not in self.processes:
            raise EmbeddedError(f"broker {number} has not been started")
        return self.processes[number]


def check_size(folder: Path, brokers: int) -> None:
    kept = len(list(folder.glob("broker-*.properties")))
    if kept not in (0, brokers):
        raise EmbeddedError(f"{folder} holds a cluster of {kept} brokers, not of {brokers}")


def cluster_id(folder: Path) -> str:
    """The cluster's name, made once: every node's storage must carry the same."""
    file = folder / "cluster.id"
    if not file.exists():
        file.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return file.read_text()


def distinct_ports(count: int) -> list[int]:
    ports: list[int] = []
    while len(ports) < count:
        ports.append(free_port(ports))
    return ports


def said_since(log: Path, mark: int, words: bytes) -> bool:
    with log.open("rb") as file:
        file.seek(mark)
        return words in file.read()
