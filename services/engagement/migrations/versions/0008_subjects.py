"""Who takes part in which campaign's experiment, and what they did."""

from typing import Final

from alembic import op

revision = "0008_subjects"
down_revision = "0007_days"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    "ALTER TABLE catalog ADD COLUMN experiments bytea",
    # From somebody's first decision on. `orders`, `revenue`: made in that time, net of refunds.
    """
    CREATE TABLE subject (
      profile_id text NOT NULL,
      campaign text NOT NULL,
      version int NOT NULL,
      treated boolean NOT NULL,
      at bigint NOT NULL,
      until bigint NOT NULL,
      goal_at bigint,
      orders int NOT NULL DEFAULT 0,
      revenue bigint NOT NULL DEFAULT 0,
      PRIMARY KEY (profile_id, campaign)
    )
    """,
    "CREATE INDEX subject_campaign ON subject (campaign, until)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
