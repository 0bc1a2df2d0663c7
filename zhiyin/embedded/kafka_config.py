"""The settings of local Apache Kafka brokers (KRaft: each is broker and controller)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zhiyin.embedded.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class Node:
    """One broker of the cluster: `number` counts from 1."""

    number: int
    port: int
    controller_port: int
    data: Path


def properties(node: Node, nodes: Sequence[Node]) -> str:
    """The text of a node's `server.properties`: three copies and two in sync when there are
    three brokers, one otherwise; topics are only made on purpose."""
    count = len(nodes)
    copies = min(3, count)
    in_sync = max(1, copies - 1)
    voters = ",".join(f"{n.number}@{LOOPBACK}:{n.controller_port}" for n in nodes)
    lines = {
        "process.roles": "broker,controller",
        "node.id": node.number,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{node.port},"
        f"CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": node.data,
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 8,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "unclean.leader.election.enable": "false",
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": 6000,
        "log.retention.hours": 168,
        "log.segment.bytes": 256 * 1024 * 1024,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())
