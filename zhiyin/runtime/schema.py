"""The tables the runtime keeps in the schema of every service that has a worker."""

from typing import Final, Protocol

STATEMENTS: Final = (
    # How far this service has applied each partition. `epoch` goes up whenever a member gains it,
    # so a member that lost it unawares can no longer write. The anchor is a digest of the record
    # just before `next`: if the log no longer agrees, it is another log.
    """
    CREATE TABLE position (
      topic text NOT NULL,
      partition int NOT NULL,
      epoch bigint NOT NULL,
      next bigint NOT NULL,
      anchor_offset bigint,
      anchor bytea,
      PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 50)
    """,
    # One row per batch and partition number, not per message: `messages` is MessagePack of
    # [[id, topic, key, value, headers], …] in order.
    """
    CREATE TABLE outbox (
      partition int NOT NULL,
      seq bigint GENERATED ALWAYS AS IDENTITY,
      messages bytea NOT NULL,
      count int NOT NULL,
      PRIMARY KEY (partition, seq)
    )
    """,
    "ALTER TABLE outbox ALTER COLUMN messages SET STORAGE EXTERNAL",
    """
    CREATE TABLE timer (
      key text PRIMARY KEY,
      partition int NOT NULL,
      due_at timestamptz NOT NULL,
      profile_id text NOT NULL,
      kind text NOT NULL,
      payload bytea NOT NULL
    )
    """,
    "CREATE INDEX timer_due ON timer (partition, kind, due_at)",
    "CREATE INDEX timer_profile ON timer (profile_id)",
    # `topic` is "(timer)" for a timer that could not be fired; its value is then the timer itself.
    """
    CREATE TABLE dead_letter (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      topic text NOT NULL,
      partition int NOT NULL,
      "offset" bigint NOT NULL,
      key text NOT NULL,
      value bytea NOT NULL,
      headers bytea NOT NULL,
      code text NOT NULL,
      reason text NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      replayed_at timestamptz
    )
    """,
)


class Operations(Protocol):
    """What is needed of Alembic's `op`."""

    def execute(self, sqltext: str) -> None: ...


def create_runtime_tables(op: Operations) -> None:
    """Call this from a service's first migration: `create_runtime_tables(op)`."""
    for statement in STATEMENTS:
        op.execute(statement)
