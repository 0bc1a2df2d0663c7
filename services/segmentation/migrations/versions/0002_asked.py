"""Backfills that set off campaigns; the log of comings and goings by month."""

from alembic import op

from services.segmentation.tables import SECOND_STEPS

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in SECOND_STEPS:
        op.execute(statement)
