"""Most ready segments are the operator's to delete: only the standard ones stay built in."""

from alembic import op

revision = "0006_library"
down_revision = "0005_cut_points"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        UPDATE segment SET builtin = false WHERE builtin AND key NOT IN (
          'high-value-loyal', 'potential-growth', 'churn-warning', 'dormant', 'new-or-small',
          'new-customers', 'first-order-7d', 'dormant-90d', 'loyal-10-a-year', 'big-spender-10k',
          'open-complaint'
        )
        """
    )
