"""Reads Apache Kafka from outside any group."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from zhiyin.runtime.log.interface import LogUnavailable, OffsetOutOfRange, Partition, Record
from zhiyin.runtime.log.kafka_inspector import KafkaInspector, records_of, stop_quietly
from zhiyin.runtime.log.merging import merged

_FETCH_WAIT_MS: Final = 100
_FETCH_BYTES: Final = 2**20


class KafkaTail:
    def __init__(self, servers: str, client_id: str, inspector: KafkaInspector) -> None:
        self._servers = servers
        self._client_id = client_id
        self._inspector = inspector
        self._client: Any = None

    async def start(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        bounds = await self._inspector.bounds(list(positions))
        begins = {
            partition: min(max(position, bounds[partition][0]), bounds[partition][1])
            for partition, position in positions.items()
        }
        client = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            client_id=f"{self._client_id}-tail",
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        try:
            await client.start()
            await asyncio.sleep(0)  # a task of the client's that never began cannot be stopped
        except (KafkaError, OSError, TimeoutError) as error:
            await stop_quietly(client)
            raise LogUnavailable(f"Kafka: {error!r}") from error
        client.assign([TopicPartition(*partition) for partition in begins])
        for partition, offset in begins.items():
            client.seek(TopicPartition(*partition), offset)
        self._client = client
        return begins

    async def stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await stop_quietly(client)

    async def fetch(self, limit: int, wait: float) -> Sequence[Record]:
        try:
            found = await self._client.getmany(timeout_ms=int(wait * 1000), max_records=limit)
        except OffsetOutOfRangeError as error:
            raise OffsetOutOfRange(str(error)) from error
        except (KafkaError, OSError) as error:
            raise LogUnavailable(f"Kafka: {error!r}") from error
        return merged(records_of(records) for records in found.values())
