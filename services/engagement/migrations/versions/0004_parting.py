"""What was moved by a merge remembers whose it was, so that it can go back."""

from typing import Final

from alembic import op

revision = "0004_parting"
down_revision = "0003_erasure"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # `home`: the person it belonged to before a merge moved it.
    *(
        f"ALTER TABLE {table} ADD COLUMN home text"
        for table in ("decision", "run", "action", "coupon")
    ),
    # The state a run had when a merge ended it, `@`, and whom its person was merged into.
    "ALTER TABLE run ADD COLUMN suspended text",
    # `outdated`: profile id → up to which version its news, which take this person for a part of
    # it, are of no account; MessagePack.
    "ALTER TABLE person ADD COLUMN outdated bytea NOT NULL DEFAULT '\\x80'",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
