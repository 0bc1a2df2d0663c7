"""What sources really send, for the tracking plan."""

from alembic import op

revision = "0004_tracking"
down_revision = "0003_master_key"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `refusals` and `unknown`: counts by what was wrong, and by the property's path. `example` is
    # the shape of the newest event, without values that may be anybody's.
    op.execute(
        """
        CREATE TABLE tracking (
          source text COLLATE "C" NOT NULL,
          type text COLLATE "C" NOT NULL,
          accepted bigint NOT NULL,
          rejected bigint NOT NULL,
          first_at bigint NOT NULL,
          last_at bigint NOT NULL,
          refusals jsonb NOT NULL,
          unknown jsonb NOT NULL,
          example jsonb,
          PRIMARY KEY (source, type)
        )
        """
    )
