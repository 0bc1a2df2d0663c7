"""The event log in Apache Kafka: for production and anything beyond one machine."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from zhiyin.runtime.log.group_commit import GroupCommit
from zhiyin.runtime.log.interface import (
    LogConsumer,
    LogUnavailable,
    Message,
    Partition,
    Position,
    Tail,
)
from zhiyin.runtime.log.kafka_consumer import KafkaConsumer
from zhiyin.runtime.log.kafka_inspector import KafkaInspector
from zhiyin.runtime.log.kafka_producer import LARGEST_BATCH, KafkaProducer
from zhiyin.runtime.log.kafka_tail import KafkaTail

_ADMIN_TIMEOUT: Final = 15.0
_DAY_MS: Final = 86_400_000


class KafkaLog:
    """`servers` as `host:port[,host:port]`. Times are in seconds."""

    def __init__(
        self,
        servers: str,
        *,
        client_id: str = "zhiyin",
        session: float = 30.0,
        append_timeout: float = 10.0,
        retention_days: int = 7,
    ) -> None:
        self._servers = servers
        self._client_id = client_id
        self._session = session
        self._retention_days = retention_days
        self._inspector = KafkaInspector(servers, client_id)
        self._producer = KafkaProducer(servers, client_id, append_timeout)
        self._appends = GroupCommit(self._write, append_timeout)
        self._counts: dict[str, int] = {}

    async def start(self) -> None:
        """Connects to nothing yet: a broker that is away must not keep a service from starting."""

    async def stop(self) -> None:
        await self._appends.stop()
        await self._producer.stop()
        await self._inspector.stop()

    async def ensure_topics(self, topics: Sequence[str], partitions: int) -> None:
        """Raises LogUnavailable when the brokers do not answer."""
        try:
            async with asyncio.timeout(_ADMIN_TIMEOUT):
                await self._create(topics, partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            raise LogUnavailable(f"Kafka: {error!r}") from error

    async def append(self, messages: Sequence[Message]) -> Sequence[Position]:
        return await self._appends.append(messages)

    def consumer(self, group: str, topics: Sequence[str]) -> LogConsumer:
        return KafkaConsumer(
            self._servers, self._client_id, group, topics, self._session, self._inspector
        )

    def tail(self) -> Tail:
        return KafkaTail(self._servers, self._client_id, self._inspector)

    async def ends(self, topics: Sequence[str]) -> Mapping[Partition, int]:
        wanted = [Partition(t, n) for t in topics for n in range(await self.partitions(t))]
        return await self._inspector.ends(wanted)

    async def partitions(self, topic: str) -> int:
        """Raises LookupError for a topic that was never created."""
        if topic not in self._counts:
            try:
                async with asyncio.timeout(_ADMIN_TIMEOUT):
                    self._counts[topic] = await self._count(topic)
            except (KafkaError, OSError, TimeoutError) as error:
                raise LogUnavailable(f"Kafka: {error!r}") from error
        return self._counts[topic]

    async def _write(self, messages: Sequence[Message]) -> Sequence[Position]:
        counts = {topic: await self.partitions(topic) for topic in {m.topic for m in messages}}
        return await self._producer.write(messages, counts)

    async def _count(self, topic: str) -> int:
        admin = await self._admin()
        try:
            (described,) = await admin.describe_topics([topic])
        finally:
            await admin.close()
        if not described["partitions"]:
            raise LookupError(f"there is no topic {topic!r}")
        return len(described["partitions"])

    async def _create(self, topics: Sequence[str], partitions: int) -> None:
        admin = await self._admin()
        try:
            known = set(await admin.list_topics())
            if missing := [topic for topic in topics if topic not in known]:
                replicas = min(3, len((await admin.describe_cluster())["brokers"]))
                config = self._config(replicas)
                answer = await admin.create_topics(
                    [NewTopic(t, partitions, replicas, topic_configs=config) for t in missing]
                )
                _check_created(answer)
                await _led(admin, missing)
        finally:
            await admin.close()

    def _config(self, replicas: int) -> dict[str, str]:
        return {
            "retention.ms": str(self._retention_days * _DAY_MS),
            "max.message.bytes": str(LARGEST_BATCH),
            "min.insync.replicas": "2" if replicas == 3 else "1",
            "cleanup.policy": "delete",
        }

    async def _admin(self) -> Any:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers, client_id=self._client_id)
        await admin.start()
        return admin


def _check_created(answer: Any) -> None:
    for _, code, *_rest in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:  # another process was faster
            raise error


async def _led(admin: Any, topics: Sequence[str]) -> None:
    """Wait until every partition has a leader: before that, appends and fetches fail."""
    while True:
        described = await admin.describe_topics(list(topics))
        if all(
            topic["partitions"] and all(p["leader"] >= 0 for p in topic["partitions"])
            for topic in described
        ):
            return
        await asyncio.sleep(0.05)
