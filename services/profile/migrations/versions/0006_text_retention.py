"""Which events have had their text taken away, as too old to keep."""

from typing import Final

from alembic import op

revision = "0006_text_retention"
down_revision = "0005_former_people"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    "ALTER TABLE event ADD COLUMN text_gone boolean NOT NULL DEFAULT false",
    """
    CREATE INDEX event_with_text ON event (at)
      WHERE NOT text_gone AND (type LIKE 'support.%' OR type LIKE 'community.%')
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
