"""Schemas, roles and Alembic migrations, run one process at a time."""

from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

LOG: Final = "log"
_LOG_MIGRATIONS: Final = Path(__file__).parent / "log" / "migrations"
# Any constant does, as long as every process takes the same one.
_LOCK: Final = 0x5A_48_49_59_49_4E


def role_of(service: str) -> str:
    return f"zhiyin_{service}"


async def migrate(dsn: str, service: str, script_location: Path | str) -> None:
    """Bring the schema of `service`, and that of the event log, up to date.

    Several processes may do this at once: one works, the others wait and find it done.
    `script_location` holds a `versions` folder of Alembic revisions; no `env.py` is needed.
    """
    engine = create_async_engine(_with_driver(dsn), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade, LOG, str(_LOG_MIGRATIONS))
            await connection.run_sync(_upgrade, service, str(script_location))
    finally:
        await engine.dispose()


def _with_driver(dsn: str) -> str:
    _, _, rest = dsn.partition("://")
    return f"postgresql+asyncpg://{rest}"


def _upgrade(connection: Connection, service: str, script_location: str) -> None:
    _create_schema(connection, service)
    script = ScriptDirectory(script_location)
    head = script.get_current_head()

    def steps(current: str | tuple[str, ...], _: object) -> list[MigrationStep]:
        missing = list(script.iterate_revisions(head, current, implicit_base=True))
        return [
            MigrationStep.upgrade_from_script(script.revision_map, revision)
            for revision in reversed(missing)
        ]

    with EnvironmentContext(Config(), script, fn=steps, destination_rev=head) as environment:
        environment.configure(connection=connection, version_table_schema=service)
        environment.run_migrations()
    connection.execute(text("RESET role"))


def _create_schema(connection: Connection, service: str) -> None:
    """The service's role owns its schema and all in it, and can see no other."""
    role = role_of(service)
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}
    ).first()
    if known is None:
        connection.execute(text(f'CREATE ROLE "{role}" NOLOGIN'))
    connection.execute(text(f'GRANT "{role}" TO CURRENT_USER'))
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{service}" AUTHORIZATION "{role}"'))
    connection.execute(text(f'SET LOCAL role "{role}"'))
    connection.execute(text(f'SET LOCAL search_path TO "{service}"'))
