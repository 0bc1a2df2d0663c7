"""Tag rules say what they mean and when everybody has been brought up to them."""

from alembic import op

from services.profile.tables import TAG_RULES_IN_WORDS

revision = "0003_tags"
down_revision = "0002_erasure"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in TAG_RULES_IN_WORDS:
        op.execute(statement)
