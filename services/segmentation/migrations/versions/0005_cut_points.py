"""RFM cut points taken from the population, and when they are taken."""

from alembic import op

from services.segmentation.tables import CUT_POINT_TABLES

revision = "0005_cut_points"
down_revision = "0004_names_seen"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in CUT_POINT_TABLES:
        op.execute(statement)
