"""Profiles, their identifiers, their events, tag rules."""

from alembic import op

from services.profile.tables import FIRST_TABLES
from zhiyin.runtime.schema import create_runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_runtime_tables(op)
    for statement in FIRST_TABLES:
        op.execute(statement)
