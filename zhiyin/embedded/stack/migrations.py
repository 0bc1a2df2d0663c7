"""Brings every service's tables up to date, by the services' own command."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from zhiyin.embedded.child import last_text_line, run
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.stack.instance import service_command
from zhiyin.embedded.stack.plan import SERVICES

SECONDS = 600


def migrate_all(env: Mapping[str, str]) -> None:
    """All at once: they wait for each other on a lock in the database. Raises EmbeddedError
    naming the first that failed and why."""
    with ThreadPoolExecutor(len(SERVICES)) as pool:
        for said in pool.map(lambda service: migrate(service, env), SERVICES):
            if said:
                raise EmbeddedError(said)


def migrate(service: str, env: Mapping[str, str]) -> str | None:
    """Why it failed, or None."""
    result = run(service_command(service, ["migrate"], env), timeout=SECONDS)
    if result.returncode == 0:
        return None
    return f"migrating {service} failed: {last_text_line(result.stderr or result.stdout)}"
