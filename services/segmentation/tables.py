"""The tables of the schema `segmentation`. Every large one has `profile_id` in its key."""

from typing import Final

FIRST_TABLES: Final = (
    # One row. Its revision goes up whenever a segment comes, goes or changes its rule.
    """
    CREATE TABLE segment_set (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      revision bigint NOT NULL
    )
    """,
    "INSERT INTO segment_set (revision) VALUES (0)",
    # `rule` is json, not jsonb, which would reorder its keys. A deleted segment keeps its row, so
    # that versions go on if the key comes back.
    """
    CREATE TABLE segment (
      key text COLLATE "C" PRIMARY KEY,
      version int NOT NULL,
      revision bigint NOT NULL,
      name text NOT NULL,
      description text NOT NULL,
      rule json NOT NULL,
      builtin boolean NOT NULL,
      deleted boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    # `snapshot` NULL: merged away or erased; the version stays, so that nothing older returns.
    # `sequence` counts the changes of the memberships, for the hot copy; `revision` is that of
    # the segment set the state was last brought up to.
    """
    CREATE TABLE person (
      profile_id text COLLATE "C" PRIMARY KEY,
      partition int NOT NULL,
      version bigint NOT NULL,
      sequence bigint NOT NULL,
      revision bigint NOT NULL,
      snapshot bytea,
      state bytea NOT NULL
    ) WITH (fillfactor = 60)
    """,
    "ALTER TABLE person ALTER COLUMN snapshot SET STORAGE EXTERNAL",
    "CREATE INDEX person_partition ON person (partition, profile_id)",
    """
    CREATE TABLE membership (
      segment text COLLATE "C" NOT NULL,
      profile_id text COLLATE "C" NOT NULL,
      since timestamptz NOT NULL,
      rule_version int NOT NULL,
      PRIMARY KEY (segment, profile_id)
    )
    """,
    """
    CREATE TABLE membership_log (
      profile_id text COLLATE "C" NOT NULL,
      id uuid NOT NULL,
      segment text COLLATE "C" NOT NULL,
      entered boolean NOT NULL,
      at timestamptz NOT NULL,
      decided_at timestamptz NOT NULL,
      cause text NOT NULL,
      rule_version int NOT NULL,
      PRIMARY KEY (profile_id, id)
    )
    """,
    "CREATE INDEX membership_log_segment ON membership_log (segment, decided_at, id)",
    # Exact sizes without counting: per partition, so that lanes do not wait for one another.
    """
    CREATE TABLE tally (
      segment text COLLATE "C" NOT NULL,
      partition int NOT NULL,
      members bigint NOT NULL,
      PRIMARY KEY (segment, partition)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE tally_day (
      segment text COLLATE "C" NOT NULL,
      day date NOT NULL,
      partition int NOT NULL,
      entered bigint NOT NULL,
      "left" bigint NOT NULL,
      PRIMARY KEY (segment, day, partition)
    ) WITH (fillfactor = 50)
    """,
    # How far each partition has been brought up to the segment set: all of it to `done`, those up
    # to `cursor` to `target`.
    """
    CREATE TABLE backfill (
      partition int PRIMARY KEY,
      done bigint NOT NULL,
      target bigint NOT NULL,
      cursor text COLLATE "C" NOT NULL,
      seen bigint NOT NULL,
      total bigint NOT NULL
    )
    """,
    # Begins a batch in one round trip: the shared lock keeps the segment set as it is until commit
    # (an editor takes it exclusively, and waits its turn fairly), and each statement of a
    # volatile function sees what was committed before it.
    """
    CREATE FUNCTION begin_batch(lock bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(lock);
      RETURN (SELECT revision FROM segment_set);
    END $$
    """,
)

SECOND_STEPS: Final = (
    "ALTER TABLE segment ADD COLUMN asked boolean NOT NULL DEFAULT false",
    # Comings and goings by month of the decision, so that old ones go by dropping a table. What
    # there is becomes the table of all that came before.
    "ALTER TABLE membership_log RENAME TO membership_log_before",
    "ALTER INDEX membership_log_segment RENAME TO membership_log_before_segment",
    "ALTER TABLE membership_log_before DROP CONSTRAINT membership_log_pkey",
    """
    CREATE TABLE membership_log (
      profile_id text COLLATE "C" NOT NULL,
      id uuid NOT NULL,
      segment text COLLATE "C" NOT NULL,
      entered boolean NOT NULL,
      at timestamptz NOT NULL,
      decided_at timestamptz NOT NULL,
      cause text NOT NULL,
      rule_version int NOT NULL,
      PRIMARY KEY (profile_id, id, decided_at)
    ) PARTITION BY RANGE (decided_at)
    """,
    "CREATE INDEX membership_log_segment ON membership_log (segment, decided_at, id)",
    """
    DO $$ BEGIN
      EXECUTE format(
        'ALTER TABLE membership_log ATTACH PARTITION membership_log_before'
        ' FOR VALUES FROM (MINVALUE) TO (%L)',
        date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC' + interval '1 month')
          AT TIME ZONE 'UTC'
      );
    END $$
    """,
)

# Names that customers' data has brought, for the catalogue of facts. No values: those are shown
# from people who are still there.
NAMES_SEEN: Final = """
    CREATE TABLE name_seen (
      name text COLLATE "C" NOT NULL,
      kind text COLLATE "C" NOT NULL,
      PRIMARY KEY (name, kind)
    )
"""

CUT_POINT_TABLES: Final = (
    # RFM cut points by the population's fifths: a version whenever one of them moved.
    """
    CREATE TABLE cut_points (
      version int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL,
      buyers bigint NOT NULL,
      thresholds bytea NOT NULL
    )
    """,
    # One row: when they are taken again. `taken_until`: somebody is at it, and dead if it passes.
    """
    CREATE TABLE cut_schedule (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      every interval NOT NULL,
      due_at timestamptz NOT NULL,
      refreshed_at timestamptz,
      taken_until timestamptz
    )
    """,
    "INSERT INTO cut_schedule (every, due_at) VALUES ('1 day', clock_timestamp())",
)
