"""Trials of campaigns and segments on history, with how far they are."""

from alembic import op

revision = "0011_simulations"
down_revision = "0010_survey_answers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # `run`: which one it is (budgets may take several); `after`: whose life was the last of this
    # run; `lease_until`: whoever works on it says until when nobody else need.
    op.execute(
        """
        CREATE TABLE simulation (
          id uuid PRIMARY KEY,
          kind text NOT NULL,
          subject text NOT NULL,
          asked bytea NOT NULL,
          state text NOT NULL,
          created_at bigint NOT NULL,
          created_by text NOT NULL,
          finished_at bigint,
          lease_until timestamptz,
          tries int NOT NULL DEFAULT 0,
          people int NOT NULL DEFAULT 0,
          run int NOT NULL DEFAULT 1,
          after text NOT NULL DEFAULT '',
          tally bytea,
          budgets bytea,
          error text
        )
        """
    )
    op.execute(
        """
        CREATE INDEX simulation_waiting ON simulation (created_at)
          WHERE state IN ('queued', 'running')
        """
    )
