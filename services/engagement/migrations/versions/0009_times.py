"""Reorder dates that had passed before they were known are counted, not listed."""

from alembic import op

revision = "0009_times"
down_revision = "0008_subjects"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # How many occurrences a decision stands for; `why` is of the newest.
    op.execute("ALTER TABLE decision ADD COLUMN times int NOT NULL DEFAULT 1")
