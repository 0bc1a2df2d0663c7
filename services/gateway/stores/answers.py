"""Answers remembered for their `Idempotency-Key`, sealed because they may hold secrets."""

import base64
import hashlib
from typing import Final

from msgspec import Struct

from services.gateway.sealing import Sealed, Sealer
from zhiyin.runtime.db import Database

# A request that has run this long was cut off (a killed process): the next one may try again.
_CUT_OFF: Final = "2 minutes"
_KEPT: Final = "24 hours"

_CLAIM = f"""
INSERT INTO answer (id, body) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE
  SET body = excluded.body, started_at = clock_timestamp(), status = NULL, answer = NULL
  WHERE (answer.status IS NULL AND answer.started_at < clock_timestamp() - interval '{_CUT_OFF}')
     OR answer.started_at < clock_timestamp() - interval '{_KEPT}'
RETURNING started_at
"""  # noqa: S608 - constants
_FIND = "SELECT body, status, media_type, master, wrapped, answer FROM answer WHERE id = $1"
_FINISH = """
UPDATE answer SET status = $2, media_type = $3, master = $4, wrapped = $5, answer = $6
WHERE id = $1
"""
_RELEASE = "DELETE FROM answer WHERE id = $1 AND status IS NULL"
_FORGET = f"DELETE FROM answer WHERE started_at < clock_timestamp() - interval '{_KEPT}'"  # noqa: S608


class Claimed(Struct, frozen=True):
    """The request is ours to do."""


class Running(Struct, frozen=True):
    """The same request is being done right now."""


class Different(Struct, frozen=True):
    """The key was used for another body."""


class Answer(Struct, frozen=True):
    """What the request was answered the first time."""

    status: int
    media_type: str
    body: bytes


class AnswerStore:
    def __init__(self, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    async def claim(self, place: str, body: bytes) -> Claimed | Running | Different | Answer:
        """`place` = key, method, path and the caller's Idempotency-Key. An insert decides who
        does it."""
        place_id, digest = _digest(place.encode()), _digest(body)
        async with self._db.connection() as connection:
            if await connection.fetchval(_CLAIM, place_id, digest) is not None:
                return Claimed()
            row = await connection.fetchrow(_FIND, place_id)
        if row is None:
            return Running()  # released this moment: the caller comes again
        if row["body"] != digest:
            return Different()
        if row["status"] is None:
            return Running()
        sealed = Sealed(row["master"], row["wrapped"], row["answer"])
        text = self._sealer.open(sealed, place_id.hex())
        return Answer(row["status"], row["media_type"], base64.b64decode(text))

    async def finish(self, place: str, answer: Answer) -> None:
        place_id = _digest(place.encode())
        sealed = self._sealer.seal(base64.b64encode(answer.body).decode(), place_id.hex())
        async with self._db.connection() as connection:
            await connection.execute(_FINISH, place_id, answer.status, answer.media_type, *sealed)

    async def release(self, place: str) -> None:
        """It came to nothing: the same key may be tried again."""
        async with self._db.connection() as connection:
            await connection.execute(_RELEASE, _digest(place.encode()))

    async def forget_old(self) -> None:
        async with self._db.connection() as connection:
            await connection.execute(_FORGET)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
