"""What was erased of whom, for the receipt."""

from alembic import op

revision = "0003_erasure"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE erasure (
          profile_id text COLLATE "C" PRIMARY KEY,
          at bigint NOT NULL,
          counts jsonb NOT NULL
        )
        """
    )
