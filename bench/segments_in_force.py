"""Segments put straight into segmentation's tables: thousands of them at once."""

import json
from collections.abc import Mapping
from typing import Any

import asyncpg


async def only_segments(db: asyncpg.Connection, rules: Mapping[str, Any]) -> None:
    """These segments in force, live, and none besides."""
    await db.execute("DELETE FROM segmentation.segment")
    await db.executemany(
        "INSERT INTO segmentation.segment (key, version, revision, name, description, rule,"
        " builtin) VALUES ($1, 1, 1, $1, '', $2::text::json, false)",
        [(key, json.dumps(rule, ensure_ascii=False)) for key, rule in rules.items()],
    )
    await db.execute("UPDATE segmentation.segment_set SET revision = 1")
    # Once a day everybody is looked at for the cut points of RFM: not today.
    await db.execute("UPDATE segmentation.cut_schedule SET due_at = now() + interval '1 day'")
    await db.execute("DELETE FROM segmentation.timer")
    await db.execute("UPDATE segmentation.backfill SET done = 1, target = 1")
