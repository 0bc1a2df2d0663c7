"""Which event log a deployment has."""

from zhiyin.runtime.log.interface import EventLog
from zhiyin.runtime.settings import ServiceSettings


def open_log(settings: ServiceSettings) -> EventLog:
    """Apache Kafka when ZHIYIN_KAFKA is set, otherwise PostgreSQL. Call `start()` before use."""
    raise NotImplementedError
