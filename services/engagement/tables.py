"""The tables of the engagement service. Instants are whole microseconds; documents are bytes."""

from typing import Final

_SETTINGS: Final = (
    # One row. `revision` goes up with every change an operator makes, so that workers notice.
    """
    CREATE TABLE catalog (
      id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
      revision bigint NOT NULL DEFAULT 0,
      seeded boolean NOT NULL DEFAULT false,
      pressure bytea
    )
    """,
    "INSERT INTO catalog DEFAULT VALUES",
    """
    CREATE TABLE campaign (
      key text PRIMARY KEY,
      version int NOT NULL,
      state text NOT NULL,
      spec bytea NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL
    )
    """,
    """
    CREATE TABLE campaign_version (
      key text NOT NULL,
      version int NOT NULL,
      spec bytea NOT NULL,
      at bigint NOT NULL,
      actor text NOT NULL,
      PRIMARY KEY (key, version)
    )
    """,
    """
    CREATE TABLE campaign_change (
      key text NOT NULL,
      seq bigint GENERATED ALWAYS AS IDENTITY,
      version int NOT NULL,
      state text NOT NULL,
      at bigint NOT NULL,
      actor text NOT NULL,
      PRIMARY KEY (key, seq)
    )
    """,
    "CREATE TABLE message_template (key text PRIMARY KEY, spec bytea NOT NULL, at bigint NOT NULL)",
    # `config` is sealed: it may hold passwords.
    """
    CREATE TABLE channel (
      name text PRIMARY KEY,
      kind text NOT NULL,
      config bytea NOT NULL,
      disabled text,
      at bigint NOT NULL
    )
    """,
    """
    CREATE TABLE coupon_template (
      key text PRIMARY KEY,
      spec bytea NOT NULL,
      budget bigint,
      issued bigint NOT NULL DEFAULT 0,
      at bigint NOT NULL,
      CONSTRAINT within_budget CHECK (budget IS NULL OR issued <= budget)
    )
    """,
)

_PEOPLE: Final = (
    # `recent`: ids of the newest messages applied, MessagePack. `snapshot` is the newest version
    # seen, as it came; none for somebody known only by being merged into, or erased.
    """
    CREATE TABLE person (
      profile_id text PRIMARY KEY,
      partition int NOT NULL,
      version bigint NOT NULL DEFAULT 0,
      snapshot bytea,
      merged_into text,
      erased boolean NOT NULL DEFAULT false,
      recent bytea NOT NULL DEFAULT '\\x90'
    ) WITH (fillfactor = 50)
    """,
    "ALTER TABLE person ALTER COLUMN snapshot SET STORAGE EXTERNAL",
    "CREATE INDEX person_partition ON person (partition, profile_id)",
    """
    CREATE TABLE member (
      profile_id text NOT NULL,
      segment text NOT NULL,
      partition int NOT NULL,
      inside boolean NOT NULL,
      at bigint NOT NULL,
      decided_at bigint NOT NULL,
      PRIMARY KEY (profile_id, segment)
    )
    """,
    "CREATE INDEX member_segment ON member (segment, partition, profile_id) WHERE inside",
    # Segment changes that came before the version of the person they speak of.
    """
    CREATE TABLE parked (
      profile_id text NOT NULL,
      message_id text NOT NULL,
      profile_version bigint NOT NULL,
      change bytea NOT NULL,
      traceparent text NOT NULL,
      PRIMARY KEY (profile_id, message_id)
    )
    """,
    # Reorder dates a timer is set for.
    """
    CREATE TABLE reorder_watch (
      profile_id text NOT NULL,
      campaign text NOT NULL,
      sku text NOT NULL,
      due_at bigint NOT NULL,
      fire_at bigint NOT NULL,
      PRIMARY KEY (profile_id, campaign, sku)
    )
    """,
)

_EFFECTS: Final = (
    """
    CREATE TABLE decision (
      profile_id text NOT NULL,
      campaign text NOT NULL,
      occurrence text NOT NULL,
      version int NOT NULL,
      at bigint NOT NULL,
      entered boolean NOT NULL,
      reason text,
      why bytea NOT NULL,
      goal_until bigint,
      goal_at bigint,
      PRIMARY KEY (profile_id, campaign, occurrence)
    )
    """,
    "CREATE INDEX decision_campaign ON decision (campaign, entered, reason)",
    """
    CREATE INDEX decision_goal ON decision (profile_id)
      WHERE goal_until IS NOT NULL AND goal_at IS NULL
    """,
    """
    CREATE TABLE run (
      profile_id text NOT NULL,
      run_id uuid NOT NULL,
      origin text NOT NULL,
      campaign text NOT NULL,
      version int NOT NULL,
      occurrence text NOT NULL,
      entered_at bigint NOT NULL,
      state text NOT NULL,
      reason text,
      step text,
      waiting_on text,
      waiting_until bigint,
      context bytea NOT NULL,
      traceparent text NOT NULL,
      PRIMARY KEY (profile_id, run_id)
    )
    """,
    "CREATE UNIQUE INDEX run_id ON run (run_id)",
    """
    CREATE UNIQUE INDEX run_once_inside ON run (profile_id, campaign)
      WHERE state IN ('active', 'held')
    """,
    "CREATE INDEX run_inside ON run (campaign, profile_id) WHERE state IN ('active', 'held')",
    """
    CREATE TABLE action (
      profile_id text NOT NULL,
      action_id uuid NOT NULL,
      campaign text NOT NULL,
      version int NOT NULL,
      occurrence text NOT NULL,
      run_id uuid NOT NULL,
      step text NOT NULL,
      kind text NOT NULL,
      purpose text NOT NULL,
      state text NOT NULL,
      reason text,
      channel text,
      template text,
      at bigint NOT NULL,
      updated_at bigint NOT NULL,
      due_at bigint,
      sent_at bigint,
      why bytea NOT NULL,
      data bytea NOT NULL,
      PRIMARY KEY (profile_id, action_id)
    )
    """,
    "CREATE UNIQUE INDEX action_id ON action (action_id)",
    "CREATE INDEX action_at ON action (profile_id, at)",
    "CREATE INDEX action_campaign ON action (campaign, kind, state, reason)",
    # Work still to be done outside. `next_at` is also the lease: a claim moves it ahead.
    """
    CREATE TABLE delivery (
      action_id uuid PRIMARY KEY,
      profile_id text NOT NULL,
      partition int NOT NULL,
      channel text NOT NULL,
      attempts int NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      traceparent text NOT NULL
    )
    """,
    "CREATE INDEX delivery_next ON delivery (channel, next_at)",
    "CREATE INDEX delivery_profile ON delivery (profile_id)",
    # `profile_id` none: the person it was issued to has been erased.
    """
    CREATE TABLE coupon (
      code text PRIMARY KEY,
      template text NOT NULL,
      profile_id text,
      campaign text NOT NULL,
      action_id uuid NOT NULL UNIQUE,
      kind text NOT NULL,
      text text NOT NULL,
      value bigint NOT NULL,
      minimum bigint NOT NULL,
      issued_at bigint NOT NULL,
      expires_at bigint NOT NULL,
      revoked_at bigint
    )
    """,
    "CREATE INDEX coupon_campaign ON coupon (campaign)",
    "CREATE INDEX coupon_profile ON coupon (profile_id, issued_at)",
    """
    CREATE TABLE redemption (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      code text NOT NULL REFERENCES coupon (code),
      order_id text NOT NULL,
      store_id text,
      amount bigint NOT NULL,
      discount bigint NOT NULL,
      at bigint NOT NULL,
      reversed_at bigint
    )
    """,
    "CREATE UNIQUE INDEX redemption_once ON redemption (code) WHERE reversed_at IS NULL",
    "CREATE INDEX redemption_order ON redemption (order_id) WHERE reversed_at IS NULL",
    "CREATE INDEX redemption_code ON redemption (code, id)",
)


FIRST_TABLES: Final = (*_SETTINGS, *_PEOPLE, *_EFFECTS)
