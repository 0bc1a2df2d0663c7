"""What a service that follows profiles keeps of an erasure: how much of whom went, for the receipt.

The table `erasure` (profile_id, at in µs, counts) is in the schema of every such service.
"""

from collections.abc import Mapping

import msgspec

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_NOTE = """
INSERT INTO erasure AS e (profile_id, at, counts) VALUES ($1, $2, $3)
ON CONFLICT (profile_id) DO NOTHING
"""


async def note_erasure(
    tx: Connection, profile_id: str, at: Instant, counts: Mapping[str, int]
) -> None:
    """In the transaction that erases."""
    await tx.execute(_NOTE, profile_id, at, msgspec.json.encode(counts).decode())


async def erasure_counts(connection: Connection, profile_id: str) -> dict[str, int] | None:
    """By store; None if this person has not been erased here, or not yet."""
    if "\0" in profile_id:
        return None
    counts = await connection.fetchval(
        "SELECT counts::text FROM erasure WHERE profile_id = $1", profile_id
    )
    return None if counts is None else msgspec.json.decode(counts, type=dict[str, int])


def affected(status: str) -> int:
    """How many rows a command changed, from its status (`DELETE 3`)."""
    return int(status.rpartition(" ")[2])
