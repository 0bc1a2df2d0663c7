"""The event log in Apache Kafka."""

from collections.abc import AsyncIterator

import pytest

from tests.runtime.log_contract import LogContract
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.log.kafka import KafkaLog

pytestmark = pytest.mark.kafka


@pytest.fixture
async def log(kafka_url: str) -> AsyncIterator[EventLog]:
    log = KafkaLog(kafka_url, session=6.0)
    await log.start()
    yield log
    await log.stop()


@pytest.fixture
async def away() -> AsyncIterator[EventLog]:
    log = KafkaLog("127.0.0.1:9", append_timeout=3.0)
    await log.start()
    yield log
    await log.stop()


class TestKafkaLog(LogContract):
    pass
