"""The audit trail in a schema of its own, under a role that nobody logs in as: the gateway's role
may add to it and read it, and nothing else. As its owner it could take its own trigger off."""

from typing import Final

from alembic import op

revision = "0005_audit_apart"
down_revision = "0004_tracking"
branch_labels = None
depends_on = None

_STATEMENTS: Final = (
    # Roles belong to the whole server: another database's migration may make it at the same time.
    """
    DO $$ BEGIN CREATE ROLE zhiyin_gateway_audit NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
    """,
    "GRANT zhiyin_gateway_audit TO CURRENT_USER",
    "CREATE SCHEMA gateway_audit AUTHORIZATION zhiyin_gateway_audit",
    "ALTER TABLE gateway.audit SET SCHEMA gateway_audit",
    "ALTER FUNCTION gateway.audit_is_append_only() SET SCHEMA gateway_audit",
    "ALTER TABLE gateway_audit.audit OWNER TO zhiyin_gateway_audit",
    "ALTER FUNCTION gateway_audit.audit_is_append_only() OWNER TO zhiyin_gateway_audit",
    "REVOKE ALL ON gateway_audit.audit FROM zhiyin_gateway",
    "GRANT USAGE ON SCHEMA gateway_audit TO zhiyin_gateway",
    "GRANT SELECT, INSERT ON gateway_audit.audit TO zhiyin_gateway",
    "CREATE INDEX audit_actor ON gateway_audit.audit (actor, seq)",
    "CREATE INDEX audit_action ON gateway_audit.audit (action, seq)",
)


def upgrade() -> None:
    op.execute("RESET role")
    for statement in _STATEMENTS:
        op.execute(statement)
    op.execute("SET LOCAL role zhiyin_gateway")
