"""What channels need: how providers call a message, links in it, inboxes, staff tasks, tokens."""

from typing import Final

from alembic import op

revision = "0006_channels"
down_revision = "0005_coupon_costs"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # How the provider calls what was sent, in its reports.
    "ALTER TABLE action ADD COLUMN reference text",
    "CREATE INDEX action_reference ON action (channel, reference) WHERE reference IS NOT NULL",
    # `expires_at` none: as long as the action is kept. `used_at`: what may be done once, was.
    """
    CREATE TABLE link (
      code text PRIMARY KEY,
      action_id uuid NOT NULL,
      purpose text NOT NULL,
      url text NOT NULL,
      expires_at bigint,
      used_at bigint
    )
    """,
    "CREATE INDEX link_action ON link (action_id)",
    """
    CREATE TABLE inbox (
      action_id uuid PRIMARY KEY,
      expires_at bigint NOT NULL,
      read_at bigint,
      clicked_at bigint
    )
    """,
    "CREATE INDEX inbox_expires ON inbox (expires_at)",
    # The action's id is the task's. `log`: who did what to it and when, MessagePack.
    """
    CREATE TABLE task (
      profile_id text NOT NULL,
      task_id uuid NOT NULL,
      home text,
      campaign text NOT NULL,
      title text NOT NULL,
      note text NOT NULL,
      team text,
      assignee text,
      state text NOT NULL,
      at bigint NOT NULL,
      due_at bigint NOT NULL,
      done_at bigint,
      overdue_at bigint,
      log bytea NOT NULL DEFAULT '\\x90',
      PRIMARY KEY (profile_id, task_id)
    )
    """,
    "CREATE UNIQUE INDEX task_id ON task (task_id)",
    "CREATE INDEX task_due ON task (due_at, task_id) WHERE state <> 'done'",
    "CREATE INDEX task_done ON task (done_at) WHERE state = 'done'",
    # Sealed. `leased_until`: somebody is fetching another one.
    """
    CREATE TABLE provider_token (
      key text PRIMARY KEY,
      token bytea,
      expires_at bigint NOT NULL DEFAULT 0,
      leased_until timestamptz NOT NULL
    )
    """,
    "CREATE TABLE survey (key text PRIMARY KEY, spec bytea NOT NULL, at bigint NOT NULL)",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
