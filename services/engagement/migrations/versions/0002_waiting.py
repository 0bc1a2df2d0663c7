"""Anything may wait for its person, not only crossings; people know whom their snapshot lacks."""

from typing import Final

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # `lacking`: ids of those merged into this person whom the snapshot does not know of yet,
    # MessagePack.
    "ALTER TABLE person ADD COLUMN lacking bytea NOT NULL DEFAULT '\\x90'",
    # The old one held crossings alone, for a minute; no release had it. Now: what came before the
    # version of the person (`awaits`) that it takes to respond to it; its timer is due at `until`.
    "DROP TABLE parked",
    """
    CREATE TABLE parked (
      profile_id text NOT NULL,
      key text NOT NULL,
      seq bigint GENERATED ALWAYS AS IDENTITY,
      awaits bigint NOT NULL,
      until bigint NOT NULL,
      stimulus bytea NOT NULL,
      PRIMARY KEY (profile_id, key)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
