"""Looks at a Kafka log from outside any group: its bounds, and single records."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from zhiyin.runtime.log.interface import LogUnavailable, Partition, Record

_TIMEOUT: Final = 10.0
_FAREWELL: Final = 5.0


class KafkaInspector:
    """One connection, one question at a time. Each call raises LogUnavailable."""

    def __init__(self, servers: str, client_id: str) -> None:
        self._servers = servers
        self._client_id = client_id
        self._client: Any = None
        self._asking = asyncio.Lock()

    async def ends(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        async with self._question() as client:
            ends = await client.end_offsets([TopicPartition(*p) for p in partitions])
            return {Partition(place.topic, place.partition): end for place, end in ends.items()}

    async def bounds(self, partitions: Collection[Partition]) -> dict[Partition, tuple[int, int]]:
        places = {partition: TopicPartition(*partition) for partition in partitions}
        async with self._question() as client:
            first = await client.beginning_offsets(list(places.values()))
            end = await client.end_offsets(list(places.values()))
        return {partition: (first[place], end[place]) for partition, place in places.items()}

    async def read_one(self, partition: Partition, offset: int) -> Record | None:
        first, end = (await self.bounds([partition]))[partition]
        if not first <= offset < end:
            return None
        place = TopicPartition(*partition)
        async with self._question() as client:
            client.assign([place])
            client.seek(place, offset)
            wait = int(_TIMEOUT * 500)
            found = await client.getmany(place, timeout_ms=wait, max_records=1)
            client.unsubscribe()
        records = records_of(found.get(place, ()))
        return next((record for record in records if record.offset == offset), None)

    async def stop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await stop_quietly(client)

    @asynccontextmanager
    async def _question(self) -> AsyncIterator[Any]:
        try:
            async with self._asking, asyncio.timeout(_TIMEOUT):
                yield await self._connected()
        except (KafkaError, OSError, TimeoutError) as error:
            await self.stop()
            raise LogUnavailable(f"Kafka: {error!r}") from error

    async def _connected(self) -> Any:
        if self._client is None:
            client = AIOKafkaConsumer(
                bootstrap_servers=self._servers,
                client_id=f"{self._client_id}-inspector",
                enable_auto_commit=False,
                auto_offset_reset="none",
                fetch_max_wait_ms=50,
            )
            try:
                await client.start()
            except BaseException:
                await stop_quietly(client)
                raise
            self._client = client
        return self._client


def records_of(records: Iterable[Any]) -> list[Record]:
    """Kafka's records as ours. A value may be missing in Kafka; here it is empty."""
    return [
        Record(
            record.topic,
            record.partition,
            record.offset,
            (record.key or b"").decode("utf-8", "replace"),
            record.value or b"",
            tuple(record.headers),
            record.timestamp,
        )
        for record in records
    ]


async def stop_quietly(client: Any) -> None:
    """Stopping says farewell to a broker that may be away; nothing of ours depends on that, but
    the connections must go, for which the client has no other way."""
    try:
        async with asyncio.timeout(_FAREWELL):
            await client.stop()
    except (KafkaError, OSError, TimeoutError):
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await client._client.close()
