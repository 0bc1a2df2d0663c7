"""What is to run: how many instances of which service, and on which event log."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.runtime.env import is_host_and_port

SERVICES: Final = ("profile", "segmentation", "engagement", "gateway")
"""In the order in which they start."""
MOST_INSTANCES: Final = 32
LOCAL: Final = "local"


@dataclass(frozen=True, slots=True)
class Plan:
    """`kafka` is None (events in PostgreSQL), `local`, or addresses of brokers."""

    instances: Mapping[str, int]
    kafka: str | None
    port: int

    @property
    def log(self) -> str:
        """The word under which the data folder remembers where its events are."""
        if self.kafka is None:
            return "postgres"
        return "kafka-local" if self.kafka == LOCAL else "kafka"


def read_plan(instances: str, kafka: str | None, port: int) -> Plan:
    """From the words of the command line. Raises EmbeddedError."""
    if not 1 <= port <= 65_535:
        raise EmbeddedError(f"--port must be from 1 to 65535, not {port}")
    return Plan(read_instances(instances), read_kafka(kafka), port)


def read_instances(text: str) -> Mapping[str, int]:
    """`profile=2,gateway=3`: what is not named runs once. Raises EmbeddedError."""
    counts = dict.fromkeys(SERVICES, 1)
    for part in (part.strip() for part in text.split(",") if part.strip()):
        service, found, number = part.partition("=")
        if service not in counts:
            known = ", ".join(SERVICES)
            raise EmbeddedError(f"unknown service {service!r} in --instances; there are {known}")
        if not found or not re.fullmatch("[0-9]{1,3}", number):
            raise EmbeddedError(f"--instances takes {service}=NUMBER, not {part!r}")
        if not 1 <= int(number) <= MOST_INSTANCES:
            raise EmbeddedError(f"{service} can have 1 to {MOST_INSTANCES} instances, not {number}")
        counts[service] = int(number)
    return counts


def read_kafka(text: str | None) -> str | None:
    if text is None or text == LOCAL:
        return text
    if not all(is_host_and_port(address.strip()) for address in text.split(",")):
        raise EmbeddedError(f"--kafka takes `local` or HOST:PORT, not {text!r}")
    return text
