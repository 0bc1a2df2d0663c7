"""Keywords of operators, by which customers' words are made out."""

from alembic import op

from services.profile.tables import LEXICON

revision = "0004_lexicon"
down_revision = "0003_tags"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in LEXICON:
        op.execute(statement)
