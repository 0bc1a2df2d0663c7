"""Surveys as operators keep them, and how often each answer was given."""

import msgspec

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.surveys import SurveySpec
from zhiyin.runtime.batch import Connection

_encode = msgspec.json.Encoder().encode
_survey = msgspec.json.Decoder(SurveySpec).decode


async def all_of(tx: Connection) -> list[tuple[str, SurveySpec]]:
    rows = await tx.fetch("SELECT key, spec FROM survey ORDER BY key")
    return [(key, _survey(spec)) for key, spec in rows]


async def find(tx: Connection, key: str) -> SurveySpec | None:
    spec = await tx.fetchval("SELECT spec FROM survey WHERE key = $1", key)
    return None if spec is None else _survey(spec)


async def save(tx: Connection, key: str, spec: SurveySpec, at: Instant) -> None:
    await tx.execute(
        """INSERT INTO survey (key, spec, at) VALUES ($1, $2, $3)
           ON CONFLICT (key) DO UPDATE SET spec = excluded.spec, at = excluded.at""",
        key,
        _encode(spec),
        at,
    )


async def answers(tx: Connection, key: str) -> tuple[int, dict[str, int]]:
    """How many links went out, and how often each reason was given."""
    rows = await tx.fetch(
        "SELECT answer, count(*) FROM link WHERE purpose = $1 GROUP BY answer", f"survey:{key}"
    )
    counted = {answer: count for answer, count in rows if answer is not None}
    return sum(count for _, count in rows), counted
