"""Who is in several segments at once, and who in only one of them."""

import time
from collections.abc import Sequence
from typing import Final

from services.segmentation import reads
from services.segmentation.editor import not_found
from zhiyin.contracts.instants import rfc3339
from zhiyin.contracts.segments import Overlap, Region
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem

# By profile, so that PostgreSQL merges the sorted members of each segment. A place is a bit.
_REGIONS: Final = """
SELECT places, count(*) FROM (
  SELECT bit_or(1 << (u.place - 1)::int) AS places
  FROM unnest($1::text[]) WITH ORDINALITY AS u (segment, place) JOIN membership m USING (segment)
  GROUP BY m.profile_id
) each GROUP BY places ORDER BY places
"""
_SECONDS: Final = 60.0


async def overlap_of(database: Database, segments: Sequence[str]) -> Overlap:
    """Exact, at one instant. Raises Problem: 404 for a segment there is not, 422 for one named
    twice."""
    for place, key in enumerate(segments):
        if key in segments[:place]:
            message = f"{key} is named twice"
            error = FieldError(f"/segments/{place}", "named_twice", message)
            raise Problem(422, "named_twice", message, errors=[error])
    started = time.perf_counter()
    async with database.connection() as connection:
        known = {row.key for row in await reads.segments(connection)}
        for key in segments:
            if key not in known:
                raise not_found(key)
        now = await reads.now(connection)
        rows = await connection.fetch(_REGIONS, list(segments), timeout=_SECONDS)
    regions = [
        Region([key for place, key in enumerate(segments) if places >> place & 1], count)
        for places, count in rows
    ]
    counts = {key: sum(one.count for one in regions if key in one.inside) for key in segments}
    took = (time.perf_counter() - started) * 1000
    union = sum(one.count for one in regions)
    return Overlap(counts, regions, union, round(took, 1), rfc3339(now))
