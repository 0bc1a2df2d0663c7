"""A service that counts things."""

from alembic import op

from zhiyin.runtime.schema import create_runtime_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_runtime_tables(op)
    op.execute("CREATE TABLE thing (name text PRIMARY KEY, count bigint NOT NULL)")
