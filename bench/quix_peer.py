"""The peer: the same fold as a Quix Streams 3 application, exactly-once, with its state store and
changelog. Runs in its own process until it has folded `count` events, then prints its seconds and
those of its processor.

It does less than ours: no event log, no deduplication, no identities, and its state can be asked
only by the process that holds it.

Its settings are the best that were found on two cores: large fetches, a producer that waits 50 ms
for larger batches, and the calm garbage collector our services have. Its commit interval is its
default, 5 s; shorter or longer ones, compression, and larger RocksDB buffers changed nothing beyond
noise.
"""

import gc
import json
import sys
import tempfile
import time
from typing import Any

from quixstreams import Application
from quixstreams.state import State

from bench.fold import folded


def main(broker: str, topic: str, count: int) -> None:
    seen = 0
    started = used = 0.0

    def fold(value: bytes, state: State[str, Any]) -> bytes:
        nonlocal seen, started, used
        if not seen:
            started, used = time.perf_counter(), time.process_time()
        document = folded(state.get_bytes("facts"), value)
        state.set_bytes("facts", document)
        seen += 1
        return document

    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            broker_address=broker,
            consumer_group=f"quix-{time.time_ns()}",
            auto_offset_reset="earliest",
            processing_guarantee="exactly-once",
            state_dir=folder,
            loglevel="WARNING",
            consumer_extra_config={"fetch.max.bytes": 52_428_800},
            producer_extra_config={"linger.ms": 50, "batch.size": 1_000_000},
        )
        source = app.topic(topic, key_deserializer="str", value_deserializer="bytes")
        changed = app.topic("peer.changed", key_serializer="str", value_serializer="bytes")
        stream = app.dataframe(source)
        stream = stream.apply(fold, stateful=True)
        stream.to_topic(changed)
        app.run(count=count)
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    report: dict[str, Any] = {"events": seen, "seconds": seconds, "cpu": cpu}
    print(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
