"""The processes of all services: started, kept up, grown and shrunk while they run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.ports import free_port
from zhiyin.embedded.stack.instance import Instance
from zhiyin.embedded.stack.plan import SERVICES
from zhiyin.embedded.stack.probe import is_ready
from zhiyin.embedded.stack.servers import Tell
from zhiyin.embedded.stack.state import InstanceState
from zhiyin.embedded.stack.wiring import WORKERS, Wiring
from zhiyin.embedded.stack.words import last_words

READY_SECONDS = 180
STOP_SECONDS = 20
GIVE_UP_AFTER = 3
"""So many ends before it was ever ready mean that it cannot start."""


@dataclass
class Fleet:
    wiring: Wiring
    logs: Path
    instances: list[Instance] = field(default_factory=list)

    def start(self, counts: Mapping[str, int]) -> None:
        """Starts them all; returns without waiting."""
        for service in WORKERS:
            for number in range(1, counts[service] + 1):
                self._add_worker(service, number)
        for number in range(1, counts["gateway"] + 1):
            self._add_gateway(number)

    def wait_until_ready(self, tell: Tell) -> None:
        """Raises EmbeddedError when one does not come up."""
        deadline = time.monotonic() + READY_SECONDS
        while waiting := [i for i in self.instances if not (i.pid and is_ready(i.port))]:
            self.check(tell)
            for instance in waiting:
                if instance.backoff.total >= GIVE_UP_AFTER:
                    raise EmbeddedError(
                        f"{instance.name} does not start: {last_words(instance.log)}"
                    )
            if time.monotonic() > deadline:
                names = ", ".join(instance.name for instance in waiting)
                raise EmbeddedError(f"not ready after {READY_SECONDS} s: {names} (see zhiyin logs)")
            time.sleep(0.1)

    def check(self, tell: Tell) -> bool:
        """Starts again what has ended; whether anything changed."""
        changed = False
        now = time.monotonic()
        for instance in self.instances:
            if instance.pid is not None:
                continue
            instance.backoff.ended(now)
            if instance.backoff.may_start(now):
                tell(f"{instance.name} has ended; starting it again")
                instance.start()
                changed = True
        return changed

    def resize(self, counts: Mapping[str, int], tell: Tell) -> None:
        """Adds before it takes away. Gateways are replaced one by one when the workers behind
        them change, so that the public port is always served."""
        before = ports_of(self.instances)
        for service in WORKERS:
            for number in range(self._count(service) + 1, counts[service] + 1):
                tell(f"starting {service}-{number}")
                self._add_worker(service, number)
        self.wait_until_ready(tell)
        leaving = [i for i in self.instances if number_of(i) > counts[i.service]]
        staying = [i for i in self.instances if i not in leaving]
        ports = ports_of(staying)
        if ports != before:
            self._replace_gateways([i for i in staying if i.service == "gateway"], ports, tell)
        for number in range(self._count("gateway") + 1, counts["gateway"] + 1):
            tell(f"starting gateway-{number}")
            self._add_gateway(number, ports)
        self.wait_until_ready(tell)
        self._dismiss(leaving)

    def _replace_gateways(
        self, gateways: list[Instance], ports: Mapping[str, list[int]], tell: Tell
    ) -> None:
        for old in gateways:
            tell(f"replacing {old.name}")
            self._add_gateway(number_of(old), ports)
            self.wait_until_ready(tell)
            self._dismiss([old])

    def stop(self) -> None:
        """In the reverse of the order of start, one service after the other."""
        for service in reversed(SERVICES):
            self._dismiss([i for i in self.instances if i.service == service])

    def state(self) -> tuple[InstanceState, ...]:
        return tuple(instance.state() for instance in self.instances)

    def _dismiss(self, leaving: list[Instance]) -> None:
        self.instances = [i for i in self.instances if i not in leaving]
        for instance in leaving:
            instance.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for instance in leaving:
            instance.wait_until_stopped(deadline)

    def _add_worker(self, service: str, number: int) -> None:
        name, port = f"{service}-{number}", self._port()
        self._add(Instance(service, name, port, self.wiring.worker(name, port), self._log(name)))

    def _add_gateway(self, number: int, ports: Mapping[str, list[int]] | None = None) -> None:
        name, port = f"gateway-{number}", self._port()
        behind = ports_of(self.instances) if ports is None else ports
        env = self.wiring.gateway_of(name, port, behind)
        self._add(Instance("gateway", name, port, env, self._log(name)))

    def _add(self, instance: Instance) -> None:
        self.instances.append(instance)
        instance.start()

    def _port(self) -> int:
        return free_port({self.wiring.port, *(i.port for i in self.instances)})

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _count(self, service: str) -> int:
        return sum(1 for instance in self.instances if instance.service == service)


def number_of(instance: Instance) -> int:
    return int(instance.name.rpartition("-")[2])


def ports_of(instances: list[Instance]) -> dict[str, list[int]]:
    ports: dict[str, list[int]] = {service: [] for service in WORKERS}
    for instance in instances:
        if instance.service in ports:
            ports[instance.service].append(instance.port)
    return ports
