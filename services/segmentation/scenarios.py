"""Scenario labels over RFM: who of each RFM class is in a scenario."""

import time
from collections.abc import Sequence
from typing import Final

from services.segmentation import reads
from services.segmentation.editor import not_found
from zhiyin.contracts.instants import rfc3339
from zhiyin.contracts.rfm import ScenarioLabel, ScenarioLabels
from zhiyin.runtime.db import Database

# The built-in segments of the RFM classes; they have no member in common.
CLASSES: Final = (
    "high-value-loyal",
    "potential-growth",
    "new-or-small",
    "churn-warning",
    "dormant",
)
_COUNTS: Final = """
SELECT c.segment AS class, s.segment AS scenario, count(*) AS people
FROM membership s JOIN membership c USING (profile_id)
WHERE s.segment = ANY($1::text[]) AND c.segment = ANY($2::text[])
GROUP BY c.segment, s.segment
"""
_SECONDS: Final = 60.0


async def labels(database: Database, scenarios: Sequence[str]) -> ScenarioLabels:
    """Every class with every scenario, by the segments' members as they stand. Raises Problem
    (404) for a segment there is not."""
    started = time.perf_counter()
    async with database.connection() as connection:
        names = {row.key: row.name for row in await reads.segments(connection)}
        for key in scenarios:
            if key not in names:
                raise not_found(key)
        now = await reads.now(connection)
        rows = await connection.fetch(_COUNTS, list(scenarios), list(CLASSES), timeout=_SECONDS)
    counts = {(row["class"], row["scenario"]): row["people"] for row in rows}
    items = [
        ScenarioLabel(each, key, f"{names[each]} · {names[key]}", counts.get((each, key), 0))
        for key in dict.fromkeys(scenarios)
        for each in CLASSES
        if each in names
    ]
    return ScenarioLabels(items, round((time.perf_counter() - started) * 1000, 1), rfc3339(now))
