"""Keys that are rotated, bound to brands, and that say when they were last used."""

from typing import Final

from alembic import op

revision = "0006_key_rotation"
down_revision = "0005_audit_apart"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # `brands` NULL: campaigns of all brands. `replaced_by`: the key that took over from this one.
    """
    ALTER TABLE api_key
      ADD COLUMN brands text[],
      ADD COLUMN replaced_by text,
      ADD COLUMN last_used_at timestamptz
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
