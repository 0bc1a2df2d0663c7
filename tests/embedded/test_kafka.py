"""Apache Kafka as child processes."""

import os
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.kafka import Kafka
from zhiyin.embedded.kafka_config import Node, properties

pytestmark = pytest.mark.kafka


async def make_topic(url: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=url)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def send(url: str, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=url, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def read(url: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=url, enable_auto_commit=False)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def test_a_broker_takes_messages(kafka_url: str) -> None:
    await make_topic(kafka_url, "taken")
    await send(kafka_url, "taken", [b"1", b"2"])
    assert await read(kafka_url, "taken", 2) == [b"1", b"2"]


@pytest.mark.usefixtures("kafka_url")
async def test_a_killed_broker_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    cluster = Kafka(tmp_path / "kafka", tmp_path, os.environ)
    cluster.start()
    try:
        await make_topic(cluster.url, "kept")
        await send(cluster.url, "kept", [b"1", b"2", b"3"])
        cluster.kill_broker(1)
        cluster.start_broker(1)
        assert await read(cluster.url, "kept", 3) == [b"1", b"2", b"3"]
    finally:
        cluster.stop()


def test_three_brokers_keep_three_copies_with_two_in_sync(tmp_path: Path) -> None:
    nodes = [Node(i, 9000 + i, 9100 + i, tmp_path) for i in (1, 2, 3)]
    text = properties(nodes[0], nodes)
    assert "default.replication.factor=3\n" in text
    assert "min.insync.replicas=2\n" in text
    assert "auto.create.topics.enable=false\n" in text


def test_two_brokers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="one or three"):
        Kafka(tmp_path, tmp_path, os.environ, brokers=2).start()


def test_without_java_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="needs Java 17"):
        Kafka(tmp_path, tmp_path, {"PATH": str(tmp_path)}).start()
