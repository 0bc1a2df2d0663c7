"""What coupons cost in the end: partial refunds, tills' conflicts, guesses at codes."""

from typing import Final

from alembic import op

revision = "0005_coupon_costs"
down_revision = "0004_parting"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # Of the order's money so much was paid back, and so much of the discount is no cost any more.
    "ALTER TABLE redemption ADD COLUMN refunded bigint NOT NULL DEFAULT 0",
    "ALTER TABLE redemption ADD COLUMN returned bigint NOT NULL DEFAULT 0",
    "ALTER TABLE coupon ADD COLUMN revoke_reason text",
    "ALTER TABLE coupon ADD COLUMN remind_at bigint",
    "CREATE INDEX coupon_template_used ON coupon (template)",
    # A discount that was given although the coupon could not be used any more: by a till that was
    # offline, or a shop that did not ask.
    """
    CREATE TABLE coupon_conflict (
      code text NOT NULL REFERENCES coupon (code),
      order_id text NOT NULL,
      store_id text,
      reason text NOT NULL,
      amount bigint NOT NULL,
      discount bigint NOT NULL,
      at bigint NOT NULL,
      noted_at bigint NOT NULL,
      PRIMARY KEY (code, order_id)
    )
    """,
    # Well-formed codes that do not exist, asked for by a caller in a minute (since 1970).
    """
    CREATE TABLE code_miss (
      actor text NOT NULL,
      minute bigint NOT NULL,
      misses int NOT NULL,
      PRIMARY KEY (actor, minute)
    )
    """,
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
