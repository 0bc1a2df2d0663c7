"""How far everybody has been brought up to the tag rules, as it is stored beside them."""

from zhiyin.contracts.instants import instant, rfc3339
from zhiyin.contracts.tag_rules import TagProgress
from zhiyin.runtime.batch import Connection


async def begin(tx: Connection) -> None:
    """A pass over everybody begins (again)."""
    await tx.execute(
        """
        UPDATE tag_set SET people = (SELECT count(*) FROM profile), checked = 0,
          started_at = clock_timestamp(), finished_at = NULL
        """
    )


async def checked(tx: Connection, people: int) -> None:
    """So many more have been looked at."""
    await tx.execute("UPDATE tag_set SET checked = checked + $1", people)


async def finish(tx: Connection, revision: int) -> None:
    """Everybody is at this revision."""
    await tx.execute("UPDATE tag_set SET settled = $1, finished_at = clock_timestamp()", revision)


async def progress(connection: Connection) -> TagProgress:
    row = await connection.fetchrow(
        "SELECT revision, settled, people, checked, started_at, finished_at FROM tag_set"
    )
    started, finished = row["started_at"], row["finished_at"]
    return TagProgress(
        "done" if row["settled"] >= row["revision"] else "running",
        row["revision"],
        row["people"],
        row["checked"],
        None if started is None else rfc3339(instant(started)),
        None if finished is None else rfc3339(instant(finished)),
    )
