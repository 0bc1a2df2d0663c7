"""Names that customers' data has brought."""

from alembic import op

from services.segmentation.tables import NAMES_SEEN

revision = "0004_names_seen"
down_revision = "0003_erasure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(NAMES_SEEN)
