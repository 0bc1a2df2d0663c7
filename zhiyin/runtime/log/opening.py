"""Which event log a deployment has."""

from zhiyin.runtime.log.interface import EventLog
from zhiyin.runtime.log.kafka import KafkaLog
from zhiyin.runtime.log.postgres import PostgresLog
from zhiyin.runtime.settings import ServiceSettings


def open_log(settings: ServiceSettings) -> EventLog:
    """Apache Kafka when ZHIYIN_KAFKA is set, otherwise PostgreSQL. Call `start()` before use."""
    if settings.kafka is not None:
        return KafkaLog(
            settings.kafka,
            client_id=settings.instance,
            session=settings.session_seconds,
            retention_days=settings.log_retention_days,
        )
    return PostgresLog(
        settings.postgres,
        retention_days=settings.log_retention_days,
        instance=settings.instance,
    )
