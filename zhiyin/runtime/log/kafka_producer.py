"""Writes to Apache Kafka, whole batches at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from zhiyin.runtime.log.interface import LogUnavailable, Message, Partition, Position, partition_of

LARGEST_BATCH: Final = 10 * 2**20
_BATCH: Final = 512 * 1024
_log = structlog.get_logger(__name__)


class KafkaProducer:
    """Confirmed by all in-sync replicas, idempotent. Whatever goes wrong, the client is thrown
    away: after an out-of-order sequence it would fail for ever, and after a time-out it would go
    on trying to deliver what its caller has given up on. Times are in seconds."""

    def __init__(self, servers: str, client_id: str, timeout: float) -> None:
        self._servers = servers
        self._client_id = client_id
        self._timeout = timeout
        self._client: Any = None
        self._disposals: set[asyncio.Task[None]] = set()

    async def write(
        self, messages: Sequence[Message], partitions: Mapping[str, int]
    ) -> list[Position]:
        """Positions in the order given. Raises LogUnavailable: any part may be written."""
        try:
            async with asyncio.timeout(self._timeout):
                client = await self._connected()
                return await _deliver(client, messages, partitions)
        except (KafkaError, OSError, TimeoutError) as error:
            self._throw_away()
            raise LogUnavailable(f"Kafka: {error!r}") from error

    async def stop(self) -> None:
        self._throw_away()
        if self._disposals:
            await asyncio.wait(self._disposals, timeout=self._timeout)

    async def _connected(self) -> Any:
        if self._client is None:
            client = AIOKafkaProducer(
                bootstrap_servers=self._servers,
                client_id=self._client_id,
                acks="all",
                enable_idempotence=True,
                max_batch_size=_BATCH,
                max_request_size=LARGEST_BATCH,
                linger_ms=0,
                request_timeout_ms=int(self._timeout * 1000),
                retry_backoff_ms=50,
            )
            try:
                await client.start()
            except BaseException:
                self._dispose(client)
                raise
            self._client = client
        return self._client

    def _throw_away(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            self._dispose(client)

    def _dispose(self, client: Any) -> None:
        task = asyncio.create_task(_dispose(client, self._timeout))
        self._disposals.add(task)
        task.add_done_callback(self._disposals.discard)


async def _deliver(
    client: Any, messages: Sequence[Message], partitions: Mapping[str, int]
) -> list[Position]:
    grouped: dict[Partition, list[Message]] = {}
    places: list[tuple[Partition, int]] = []
    for message in messages:
        number = partition_of(message.key, partitions[message.topic])
        partition = Partition(message.topic, number)
        group = grouped.setdefault(partition, [])
        places.append((partition, len(group)))
        group.append(message)
    offsets = await asyncio.gather(*(_deliver_group(client, *item) for item in grouped.items()))
    at = dict(zip(grouped, offsets, strict=True))
    return [Position(*partition, at[partition][place]) for partition, place in places]


async def _deliver_group(client: Any, partition: Partition, group: Sequence[Message]) -> list[int]:
    """The offset of each message of one partition."""
    pending: list[tuple[Any, int]] = []
    builder = client.create_batch()
    for message in group:
        fields = {
            "key": message.key.encode(),
            "value": message.value,
            "timestamp": None,
            "headers": list(message.headers),
        }
        if builder.append(**fields) is None:  # full
            pending.append((await _send(client, builder, partition), builder.record_count()))
            builder = client.create_batch()
            builder.append(**fields)
    pending.append((await _send(client, builder, partition), builder.record_count()))
    offsets: list[int] = []
    for sent, count in pending:
        base = (await sent).offset
        offsets.extend(range(base, base + count))
    return offsets


async def _send(client: Any, builder: Any, partition: Partition) -> Any:
    return await client.send_batch(builder, partition.topic, partition=partition.number)


async def _dispose(client: Any, patience: float) -> None:
    """`stop` waits for deliveries that may never come, so they are failed first; the client has no
    public way to do so."""
    try:
        client._message_accumulator.fail_all(KafkaError("the producer was thrown away"))
        async with asyncio.timeout(patience):
            await client.stop()
    except Exception as error:  # noqa: BLE001 - it is of no use any more
        _log.warning("kafka producer not stopped cleanly", error=repr(error))
