"""The tables of the schema `profile`. Instants are µs since 1970 UTC, as in the contract."""

from typing import Final

EVENT_PARTITIONS: Final = 8

FIRST_TABLES: Final = (
    # `members`: member ids of the person; `links` goes up when they change or an identifier
    # leaves, which tells whoever resolved an identifier earlier that it has to look again.
    # `tagging`: what is remembered beside the tags.
    """
    CREATE TABLE profile (
      profile_id text COLLATE "C" PRIMARY KEY,
      version bigint NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      members text[] NOT NULL,
      links int NOT NULL,
      snapshot bytea NOT NULL,
      tagging bytea NOT NULL
    ) WITH (fillfactor = 50)
    """,
    "ALTER TABLE profile ALTER COLUMN snapshot SET STORAGE EXTERNAL",
    # Ids of people merged away; `kept` is always somebody who is still there.
    """
    CREATE TABLE alias (
      profile_id text COLLATE "C" PRIMARY KEY,
      kept text COLLATE "C" NOT NULL,
      merged_at bigint NOT NULL
    )
    """,
    "CREATE INDEX alias_kept ON alias (kept)",
    # A shared identifier belongs to somebody, but links nobody any more.
    """
    CREATE TABLE identity (
      namespace text COLLATE "C" NOT NULL,
      token text COLLATE "C" NOT NULL,
      profile_id text COLLATE "C" NOT NULL,
      shared boolean NOT NULL DEFAULT false,
      PRIMARY KEY (namespace, token)
    )
    """,
    "CREATE INDEX identity_profile ON identity (profile_id)",
    # What counts once: an event's id at its source.
    """
    CREATE TABLE seen_event (
      uid uuid PRIMARY KEY,
      seen_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    # Events as they stood on the topic. Those of people merged away keep the id they came under.
    """
    CREATE TABLE event (
      profile_id text COLLATE "C" NOT NULL,
      at bigint NOT NULL,
      uid uuid NOT NULL,
      type text COLLATE "C" NOT NULL,
      received_at bigint NOT NULL,
      value bytea NOT NULL,
      PRIMARY KEY (profile_id, at, uid)
    ) PARTITION BY HASH (profile_id)
    """,
    *(
        f"CREATE TABLE event_{number} PARTITION OF event "
        f"FOR VALUES WITH (MODULUS {EVENT_PARTITIONS}, REMAINDER {number})"
        for number in range(EVENT_PARTITIONS)
    ),
    # People whose hot copy Redis did not take.
    'CREATE TABLE missed_copy (profile_id text COLLATE "C" PRIMARY KEY)',
    # One row. Its revision goes up whenever a tag rule comes, goes or changes.
    """
    CREATE TABLE tag_set (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      revision bigint NOT NULL
    )
    """,
    "INSERT INTO tag_set (revision) VALUES (0)",
    # A deleted rule keeps its row, so that versions go on if the tag comes back.
    """
    CREATE TABLE tag_rule (
      tag text COLLATE "C" PRIMARY KEY,
      version int NOT NULL,
      name text NOT NULL,
      rule jsonb NOT NULL,
      ttl text,
      deleted boolean NOT NULL DEFAULT false,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    # Begins a batch in one round trip: the shared lock keeps the tag rules as they are until
    # commit (an editor takes it exclusively), and each statement of a volatile function sees what
    # was committed before it.
    """
    CREATE FUNCTION begin_batch(lock bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(lock);
      RETURN (SELECT revision FROM tag_set);
    END $$
    """,
)

TAG_RULES_IN_WORDS: Final = (
    # `revision`: of the tag set, when the rule last changed.
    """
    ALTER TABLE tag_rule
      ADD COLUMN revision bigint NOT NULL DEFAULT 0,
      ADD COLUMN description text NOT NULL DEFAULT '',
      ADD COLUMN name_en text NOT NULL DEFAULT '',
      ADD COLUMN description_en text NOT NULL DEFAULT ''
    """,
    # `settled`: the revision everybody has been brought up to; `checked` of `people` by the pass
    # under way, or by the last one.
    """
    ALTER TABLE tag_set
      ADD COLUMN settled bigint NOT NULL DEFAULT 0,
      ADD COLUMN people bigint NOT NULL DEFAULT 0,
      ADD COLUMN checked bigint NOT NULL DEFAULT 0,
      ADD COLUMN started_at timestamptz,
      ADD COLUMN finished_at timestamptz
    """,
    """
    UPDATE tag_set SET settled = revision
    WHERE NOT EXISTS (SELECT FROM timer WHERE key = 'retag')
    """,
)

LEXICON: Final = (
    # One row: how often operators have edited it.
    """
    CREATE TABLE lexicon (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      revision int NOT NULL
    )
    """,
    "INSERT INTO lexicon (revision) VALUES (0)",
    # What operators say of a phrase; the built-in keywords are in the code.
    """
    CREATE TABLE keyword (
      phrase text COLLATE "C" PRIMARY KEY,
      topic text,
      lean int NOT NULL,
      weight float8 NOT NULL,
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)
