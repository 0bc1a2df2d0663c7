"""What was answered through a link, so that answers can be counted."""

from alembic import op

revision = "0010_survey_answers"
down_revision = "0009_times"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE link ADD COLUMN answer text")
    op.execute("CREATE INDEX link_survey ON link (purpose) WHERE purpose LIKE 'survey:%'")
