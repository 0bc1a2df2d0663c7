"""Which master key the vault seals under, and whether older values have all been wrapped anew."""

from typing import Final

from alembic import op

revision = "0003_master_key"
down_revision = "0002_erasure"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # One row. `rewrapped` NULL: values under older keys may be left.
    """
    CREATE TABLE master_key (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      version int NOT NULL,
      used_since timestamptz NOT NULL DEFAULT clock_timestamp(),
      rewrapped_at timestamptz
    )
    """,
    "INSERT INTO master_key (version, rewrapped_at) VALUES (1, clock_timestamp())",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
