"""The event log's topics, heads, chunks of records, group members and leases."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    "CREATE TABLE topic (name text PRIMARY KEY, partitions int NOT NULL)",
    # One row per (topic, partition). Its lock makes offsets gapless: whoever holds it takes the
    # next offsets and commits before anybody else can. `first` is the oldest offset kept. `at`
    # never goes back, although the server's clock may.
    """
    CREATE TABLE head (
      topic text NOT NULL,
      partition int NOT NULL,
      first bigint NOT NULL DEFAULT 0,
      next bigint NOT NULL DEFAULT 0,
      at timestamptz NOT NULL DEFAULT '-infinity',
      PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 50)
    """,
    # Records that were appended together, as MessagePack [[key, value, headers], …]. `last` is
    # the offset of the newest of them. One table per day, so that old ones can be dropped.
    """
    CREATE TABLE chunk (
      topic text NOT NULL,
      partition int NOT NULL,
      last bigint NOT NULL,
      count int NOT NULL,
      size int NOT NULL,
      at timestamptz NOT NULL,
      body bytea NOT NULL,
      PRIMARY KEY (topic, partition, last, at)
    ) PARTITION BY RANGE (at)
    """,
    "ALTER TABLE chunk ALTER COLUMN body SET STORAGE EXTERNAL",
    """
    CREATE TABLE member (
      grp text NOT NULL,
      id text NOT NULL,
      seen_at timestamptz NOT NULL,
      PRIMARY KEY (grp, id)
    )
    """,
    # Who reads which partition number of all topics of a group. `generation` goes up whenever it
    # changes hands.
    """
    CREATE TABLE lease (
      grp text NOT NULL,
      number int NOT NULL,
      owner text,
      generation bigint NOT NULL DEFAULT 0,
      expires_at timestamptz NOT NULL DEFAULT '-infinity',
      PRIMARY KEY (grp, number)
    )
    """,
    # How far each group says it is: for the lag only.
    """
    CREATE TABLE progress (
      grp text NOT NULL,
      topic text NOT NULL,
      partition int NOT NULL,
      next bigint NOT NULL,
      PRIMARY KEY (grp, topic, partition)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    for table in ("progress", "lease", "member", "chunk", "head", "topic"):
        op.execute(f"DROP TABLE {table}")
