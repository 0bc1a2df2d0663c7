"""Days of people that campaigns wait for."""

from alembic import op

revision = "0007_days"
down_revision = "0006_channels"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The next day of each person for each campaign that a timer is set for.
    op.execute(
        """
        CREATE TABLE date_watch (
          profile_id text NOT NULL,
          campaign text NOT NULL,
          name text NOT NULL,
          day text NOT NULL,
          fire_at bigint NOT NULL,
          PRIMARY KEY (profile_id, campaign)
        )
        """
    )
