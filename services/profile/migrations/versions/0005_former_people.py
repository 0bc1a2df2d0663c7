"""What a merge takes to be undone: through whom identifiers came, who people were before, and
who was parted from whom."""

from typing import Final

from alembic import op

revision = "0005_former_people"
down_revision = "0004_lexicon"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # `former`: the person merged away through whom it came to the one it belongs to now.
    # `via`: gained since, by an event that came by an identifier of that former person.
    # `others`: marks of the member ids of other people it was seen with.
    """
    ALTER TABLE identity
      ADD COLUMN former text COLLATE "C",
      ADD COLUMN via text COLLATE "C",
      ADD COLUMN others text[] NOT NULL DEFAULT '{}'
    """,
    # `joined`: whom they were merged into, who may have been merged away since; `version`: their
    # last one; `tags`, `kept_tags`: theirs and those of whom they joined just before. Merges from
    # before this revision have none of it and are undone as far as the event log tells.
    """
    ALTER TABLE alias
      ADD COLUMN joined text COLLATE "C",
      ADD COLUMN created_at bigint,
      ADD COLUMN version bigint NOT NULL DEFAULT 0,
      ADD COLUMN tags bytea,
      ADD COLUMN kept_tags bytea
    """,
    # Pairs whom an operator parted, under the ids they had then.
    """
    CREATE TABLE parted (
      one text COLLATE "C" NOT NULL,
      other text COLLATE "C" NOT NULL,
      at bigint NOT NULL,
      PRIMARY KEY (one, other)
    )
    """,
    "CREATE INDEX parted_other ON parted (other)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
