"""The lexicon as it is in force: the built-in keywords and what operators made of them."""

from collections.abc import Mapping
from typing import Final

from zhiyin.contracts.heard import Mood
from zhiyin.contracts.words import KeywordSpec, KeywordView
from zhiyin.runtime.batch import Connection
from zhiyin.wording import Entry, seed_entries

_MOODS: Final[Mapping[Mood, int]] = {"positive": 1, "neutral": 0, "negative": -1}
_LEANS: Final = {lean: mood for mood, lean in _MOODS.items()}


async def revision(connection: Connection) -> int:
    """Goes up with every edit."""
    found: int = await connection.fetchval("SELECT revision FROM lexicon")
    return found


async def in_force(connection: Connection) -> list[Entry]:
    return [*(await _merged(connection)).values()]


async def views(connection: Connection) -> list[KeywordView]:
    """By phrase."""
    edited = await _edited(connection)
    merged = await _merged(connection)
    return [
        KeywordView(
            phrase,
            entry.topic,
            _LEANS[entry.lean],
            entry.weight,
            "operator" if phrase in edited else "built-in",
        )
        for phrase, entry in sorted(merged.items())
    ]


async def put(tx: Connection, phrase: str, spec: KeywordSpec) -> int:
    """The revision from which it counts."""
    await tx.execute(
        """
        INSERT INTO keyword (phrase, topic, lean, weight) VALUES ($1, $2, $3, $4)
        ON CONFLICT (phrase) DO UPDATE SET topic = excluded.topic, lean = excluded.lean,
          weight = excluded.weight, updated_at = clock_timestamp()
        """,
        phrase,
        spec.topic,
        _MOODS[spec.mood],
        spec.weight,
    )
    return await _next_revision(tx)


async def forget(tx: Connection, phrase: str) -> bool:
    """An operator's word is taken back, a built-in keyword silenced. False where there is none."""
    taken = await tx.fetchval("DELETE FROM keyword WHERE phrase = $1 RETURNING weight", phrase)
    built_in = any(entry.phrase == phrase for entry in seed_entries())
    if taken is None and not built_in:
        return False
    if taken is None:
        await put(tx, phrase, KeywordSpec(weight=0.0))
    else:
        await _next_revision(tx)
    return True


async def _merged(connection: Connection) -> Mapping[str, Entry]:
    built_in = {entry.phrase: entry for entry in seed_entries()}
    return built_in | await _edited(connection)


async def _edited(connection: Connection) -> dict[str, Entry]:
    rows = await connection.fetch("SELECT phrase, topic, lean, weight FROM keyword")
    return {row["phrase"]: Entry(*row) for row in rows}


async def _next_revision(tx: Connection) -> int:
    found: int = await tx.fetchval("UPDATE lexicon SET revision = revision + 1 RETURNING revision")
    return found
