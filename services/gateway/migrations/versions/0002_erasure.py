"""Erasures: what was asked for, how far it is, and the receipt."""

from typing import Final

from alembic import op

revision = "0002_erasure"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # `profile_ids`: all ids the person ever had, once known. `tokens`: those the vault is to
    # forget, until it is done. `leased_until`: some gateway is at it.
    """
    CREATE TABLE erasure (
      id text PRIMARY KEY,
      profile_id text NOT NULL UNIQUE,
      profile_ids text[] NOT NULL,
      requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      requested_by text NOT NULL,
      reason text NOT NULL,
      tokens text[] NOT NULL DEFAULT '{}',
      forgotten int NOT NULL DEFAULT 0,
      forgotten_at timestamptz,
      completed_at timestamptz,
      found jsonb,
      receipt jsonb,
      leased_until timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX erasure_pending ON erasure (leased_until) WHERE completed_at IS NULL",
    "CREATE INDEX erasure_ids ON erasure USING gin (profile_ids)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
