"""Reads Apache Kafka as one member of a group."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from zhiyin.runtime.log.interface import Assignment, OffsetOutOfRange, Partition, Record
from zhiyin.runtime.log.kafka_inspector import KafkaInspector, records_of, stop_quietly

# While a fetch waits at the broker for some partitions, aiokafka cannot ask for others, so this
# is also how long a record may be overlooked.
_FETCH_WAIT_MS: Final = 25
_BUFFER: Final = 128 * 2**20
_LOST_SECONDS: Final = 3.0
_RETRY_SECONDS: Final = 1.0
_log = structlog.get_logger(__name__)


class KafkaConsumer:
    """`session` (seconds) is how long a silent member keeps its partitions. A client that fails is
    replaced: aiokafka's does not always recover."""

    def __init__(
        self,
        servers: str,
        client_id: str,
        group: str,
        topics: Sequence[str],
        session: float,
        inspector: KafkaInspector,
    ) -> None:
        self._servers = servers
        self._client_id = client_id
        self._group = group
        self._topics = tuple(topics)
        self._session = session
        self._inspector = inspector
        self._client: Any = None
        self._held: frozenset[Partition] = frozenset()
        self._claimed: frozenset[Partition] = frozenset()
        self._gaining: asyncio.Task[None] | None = None
        self._broken = asyncio.Event()
        self._changed = asyncio.Event()
        self._reporting: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    async def start(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        await self._end()

    async def fetch(
        self, partitions: frozenset[Partition], limit: int, wait: float
    ) -> Mapping[Partition, Sequence[Record]]:
        if self._failure is not None:
            raise self._failure
        client, wanted = self._client, partitions & self._held
        if client is None or not wanted:
            await self._change(wait)
            return {}
        places = [TopicPartition(*partition) for partition in wanted]
        try:
            async with asyncio.timeout(wait + _RETRY_SECONDS):
                found = await client.getmany(
                    *places, timeout_ms=int(wait * 1000), max_records=limit
                )
        except OffsetOutOfRangeError as error:
            raise OffsetOutOfRange(str(error)) from error
        except TimeoutError:  # a rebalance is going on
            return {}
        except KafkaError as error:
            if client is self._client:
                _log.warning("kafka consumer replaced", group=self._group, error=repr(error))
                self._broken.set()
            await asyncio.sleep(wait)
            return {}
        return {Partition(p.topic, p.partition): records_of(r) for p, r in found.items()}

    def seek(self, partition: Partition, offset: int) -> None:
        if partition in self._held and self._client is not None:
            self._client.seek(TopicPartition(*partition), offset)

    async def read_one(self, partition: Partition, offset: int) -> Record | None:
        return await self._inspector.read_one(partition, offset)

    async def bounds(
        self, partitions: Collection[Partition]
    ) -> Mapping[Partition, tuple[int, int]]:
        return await self._inspector.bounds(partitions)

    async def report(self, positions: Mapping[Partition, int]) -> None:
        mine = {TopicPartition(*p): at for p, at in positions.items() if p in self._held}
        if self._client is not None and mine and not self._reporting:
            self._reporting = asyncio.create_task(self._report(self._client, mine))

    async def _report(self, client: Any, positions: Mapping[TopicPartition, int]) -> None:
        """Not bounded in time: aiokafka goes on with a commit nobody waits for any more, and what
        becomes of it then is an error nobody catches."""
        try:
            await client.commit(positions)
        except (KafkaError, OSError) as error:
            _log.debug("lag not reported", error=repr(error))
        finally:
            self._reporting = None

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """Called by aiokafka, which sends no heartbeats until it returns: so nothing is fetched
        from the new partitions for now, and gaining them goes on beside."""
        places = [TopicPartition(*partition) for partition in partitions]
        if places:
            self._client.pause(*places)
            for place in places:  # any position will do; without one it would look for a commit
                self._client.seek(place, 0)
        await self._stop_gaining()
        self._claimed = partitions
        self._gaining = asyncio.create_task(self._gain(self._client, partitions))

    async def revoked(self) -> None:
        """Called by aiokafka before it joins again, all partitions at once."""
        await self._stop_gaining()
        lost, self._held, self._claimed = self._claimed, frozenset(), frozenset()
        try:
            async with asyncio.timeout(_LOST_SECONDS):
                await self._assignment.lost(lost)
        except TimeoutError:
            _log.warning("partitions left in mid-batch; the fence will tell", group=self._group)

    async def _gain(self, client: Any, partitions: frozenset[Partition]) -> None:
        try:
            positions = await self._assignment.gained(partitions)
        except Exception as error:  # noqa: BLE001 - raised again by fetch
            self._failure = error
            return
        for partition, offset in positions.items():
            client.seek(TopicPartition(*partition), offset)
        if positions:
            client.resume(*(TopicPartition(*partition) for partition in positions))
        self._held = frozenset(positions)
        self._changed.set()

    async def _stop_gaining(self) -> None:
        if self._gaining is not None:
            self._gaining.cancel()
            await asyncio.gather(self._gaining, return_exceptions=True)
            self._gaining = None

    async def _change(self, wait: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _run(self) -> None:
        while True:
            self._broken.clear()
            client = self._new_client()
            self._client = client
            try:
                await client.start()
                await self._broken.wait()
            except (KafkaError, OSError) as error:
                _log.warning("kafka away", group=self._group, error=repr(error))
            await self._end()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _end(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await self.revoked()
            await stop_quietly(client)
            if self._reporting is not None:
                self._reporting.cancel()

    def _new_client(self) -> Any:
        session_ms = int(self._session * 1000)
        client = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            client_id=self._client_id,
            group_id=self._group,
            partition_assignment_strategy=(RangePartitionAssignor,),
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=session_ms,
            rebalance_timeout_ms=session_ms,
            heartbeat_interval_ms=min(3000, session_ms // 4),
            max_poll_interval_ms=3_600_000,
            request_timeout_ms=max(40_000, session_ms + 10_000),
            retry_backoff_ms=100,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            fetch_max_bytes=16 * 2**20,
            max_partition_fetch_bytes=max(2**20, min(4 * 2**20, _BUFFER // 8 // len(self._topics))),
        )
        client.subscribe(self._topics, listener=_Listener(self))
        return client


class _Listener(ConsumerRebalanceListener):
    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._consumer.assigned(frozenset(Partition(p.topic, p.partition) for p in assigned))
