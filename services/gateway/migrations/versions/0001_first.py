"""The gateway's tables: vault, keys, audit trail, remembered answers."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # `wrapped` is the value's own data key under master key `master`: deleting the row, or that
    # column, is what makes a value unreadable for good.
    """
    CREATE TABLE vault (
      namespace text NOT NULL,
      token text NOT NULL,
      master int NOT NULL,
      wrapped bytea NOT NULL,
      sealed bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (namespace, token)
    )
    """,
    """
    CREATE TABLE api_key (
      id text PRIMARY KEY,
      digest bytea NOT NULL,
      name text NOT NULL,
      role text,
      scopes text[] NOT NULL,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL,
      expires_at timestamptz,
      revoked_at timestamptz
    )
    """,
    # `at` in microseconds, because the hash covers it to the last digit.
    """
    CREATE TABLE audit (
      seq bigint PRIMARY KEY,
      at bigint NOT NULL,
      actor text NOT NULL,
      action text NOT NULL,
      subject text NOT NULL,
      detail text NOT NULL,
      trace_id text NOT NULL,
      prev_hash bytea NOT NULL,
      hash bytea NOT NULL
    )
    """,
    "CREATE INDEX audit_subject ON audit (subject, seq)",
    """
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """,
    """
    CREATE TABLE answer (
      id bytea PRIMARY KEY,
      body bytea NOT NULL,
      started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      status int,
      media_type text,
      master int,
      wrapped bytea,
      answer bytea
    )
    """,
    "CREATE INDEX answer_age ON answer (started_at)",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
