"""People can be erased: what was erased, and tombstones so that nothing late brings them back."""

from typing import Final

from alembic import op

revision = "0002_erasure"
down_revision = "0001"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # `counts` by store. `remains`: whose they were, until every service is done with them; NULL
    # from then on. Instants are µs.
    """
    CREATE TABLE erasure (
      erasure_id text COLLATE "C" PRIMARY KEY,
      at bigint NOT NULL,
      counts jsonb NOT NULL,
      refused bigint NOT NULL DEFAULT 0,
      remains bytea,
      ended_at bigint
    )
    """,
    # `digest` stands for an identifier; `until` NULL while the erasure is under way.
    """
    CREATE TABLE tombstone (
      digest bytea NOT NULL,
      erasure_id text COLLATE "C" NOT NULL,
      until bigint,
      PRIMARY KEY (digest, erasure_id)
    )
    """,
    "CREATE INDEX tombstone_until ON tombstone (until)",
    "CREATE INDEX tombstone_open ON tombstone (erasure_id) WHERE until IS NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
