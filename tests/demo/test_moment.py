"""Watching somebody's 90 days end."""

import time
from typing import Any

from zhiyin.contracts.instants import SECOND, Instant, rfc3339
from zhiyin.demo.datasets.households import household
from zhiyin.demo.heroes import Hero
from zhiyin.demo.moment import CAMPAIGN, SEGMENT, recall, watch
from zhiyin.runtime.clock import wall_clock

HERO = Hero(household(1060), 0, ())
ACTION = {"campaign": CAMPAIGN, "kind": "coupon", "state": "sent"}


class Platform:
    """One in which a person enters the segment 50 ms after the instant, and a coupon is sent 50 ms
    later."""

    def __init__(self, due: Instant) -> None:
        self.due = due
        self.calls = 0

    async def get(self, path: str, **params: str | int) -> Any:
        self.calls += 1
        after = wall_clock() - self.due
        if path.endswith("/history"):
            move = {
                "profile_id": "p",
                "change": "entered",
                "decided_at": rfc3339(self.due + 50_000),
            }
            return {"items": [move] if after >= 50_000 else []}
        if path.endswith("/segments"):
            return {"items": [{"segment": SEGMENT}] if after >= 50_000 else []}
        other = {"campaign": "welcome-first-order", "kind": "message", "state": "skipped"}
        return {"items": [ACTION, other] if after >= 100_000 else [other]}


async def test_the_delays_are_counted_from_the_due_instant() -> None:
    due = wall_clock() + SECOND // 2
    seen = await watch(Platform(due), HERO, "p", due, wall_clock)
    assert seen.decided == 50_000
    assert seen.entered is not None
    assert 50_000 <= seen.entered < SECOND
    assert seen.acted is not None
    assert 100_000 <= seen.acted < SECOND
    assert seen.actions == [ACTION]


async def test_nothing_is_asked_before_the_instant() -> None:
    due = wall_clock() + SECOND // 2
    platform = Platform(due)
    begun = time.monotonic()
    await watch(platform, HERO, "p", due, wall_clock)
    assert time.monotonic() - begun >= 0.5
    assert platform.calls < 60


async def test_an_earlier_run_is_told_from_what_was_recorded() -> None:
    due = wall_clock() - 3600 * SECOND
    seen = await recall(Platform(due), HERO, "p", due)
    assert (seen.decided, seen.entered, seen.acted) == (50_000, None, None)
    assert seen.actions == [ACTION]
