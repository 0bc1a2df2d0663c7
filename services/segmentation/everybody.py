"""Everybody, page by page: a few milliseconds of work, after which everything else has its turn."""

from collections.abc import AsyncIterator
from typing import Final

from services.segmentation import reads
from services.segmentation.reads import Packed
from zhiyin.runtime.db import Database

_PAGE: Final = 200


async def everybody(database: Database) -> AsyncIterator[list[Packed]]:
    """Not in one long transaction, which would keep the tables from being cleaned: each person as
    they are when their page is read."""
    after = ""
    while True:
        async with database.connection() as connection:
            page = await reads.packed_people(connection, after, _PAGE)
        yield page
        if len(page) < _PAGE:
            return
        after = page[-1].profile_id
