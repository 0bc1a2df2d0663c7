"""Operators, their sessions, and attempts to sign in."""

from typing import Final

from alembic import op

revision = "0007_operators"
down_revision = "0006_key_rotation"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # Name and e-mail are in the vault under the operator's id, and the secret of the one-time codes
    # too; `email` is a keyed token. `password`: argon2id, NULL for those who sign in elsewhere.
    # `totp_step`: the newest 30 seconds whose code was taken. Times in microseconds.
    """
    CREATE TABLE operator (
      id text COLLATE "C" PRIMARY KEY,
      email text UNIQUE,
      role text NOT NULL,
      brands text[],
      active boolean NOT NULL DEFAULT true,
      password text,
      must_change boolean NOT NULL DEFAULT false,
      totp_at bigint,
      totp_step bigint,
      recovery bytea[] NOT NULL DEFAULT '{}',
      subject bytea UNIQUE,
      created_at bigint NOT NULL,
      created_by text NOT NULL,
      signed_in_at bigint,
      erased_at bigint
    )
    """,
    # `refresh` is the digest of the newest refresh token, `refreshed` of the one before it.
    """
    CREATE TABLE session (
      id text COLLATE "C" PRIMARY KEY,
      operator_id text NOT NULL REFERENCES operator,
      method text NOT NULL,
      network text NOT NULL,
      refresh bytea NOT NULL,
      refreshed bytea,
      refreshed_at bigint,
      created_at bigint NOT NULL,
      seen_at bigint NOT NULL,
      ends_at bigint NOT NULL,
      ended_at bigint
    )
    """,
    "CREATE INDEX session_operator ON session (operator_id, id)",
    "CREATE INDEX session_age ON session (ends_at)",
    # `place`: the digest of an account or of a network.
    """
    CREATE TABLE sign_in_attempt (
      place bytea PRIMARY KEY,
      failures int NOT NULL,
      last_at bigint NOT NULL,
      locked_until bigint NOT NULL
    )
    """,
    "CREATE INDEX sign_in_attempt_age ON sign_in_attempt (last_at)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
