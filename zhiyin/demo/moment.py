"""The live moment: somebody's 90 days end, and what the platform does about it, as it happens."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from zhiyin.contracts.instants import SECOND, Duration, Instant, instant
from zhiyin.demo.heroes import Hero

SEGMENT: Final = "dormant-90d"
CAMPAIGN: Final = "win-back-90d"
_POLL_SECONDS: Final = 0.02
PATIENCE: Final[Duration] = 30 * SECOND
_HISTORY_PAGE: Final = 50


class Reader(Protocol):
    async def get(self, path: str, **params: str | int) -> Any: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the public API showed of one person. Delays are counted from the due instant, in µs:
    `decided` as the platform states it, `entered` and `acted` when a reader first saw it."""

    hero: Hero
    due: Instant
    profile_id: str
    decided: Duration | None = None
    entered: Duration | None = None
    acted: Duration | None = None
    actions: Sequence[Any] = ()


async def watch(
    reader: Reader, hero: Hero, profile_id: str, due: Instant, clock: Callable[[], Instant]
) -> Seen:
    """Waits for the due instant, then polls until the person is in the segment and something was
    decided about them, half a minute at most."""
    await asyncio.sleep(max(0.0, (due - clock()) / SECOND))
    entered = await _until(lambda: _is_in(reader, profile_id), due, clock)
    acted = await _until(lambda: _decided_on(reader, profile_id), due, clock)
    return Seen(
        hero=hero,
        due=due,
        profile_id=profile_id,
        decided=await _stated_delay(reader, profile_id, due),
        entered=entered,
        acted=acted,
        actions=await _actions(reader, profile_id),
    )


async def recall(reader: Reader, hero: Hero, profile_id: str, due: Instant) -> Seen:
    """What the platform recorded of a due instant that is long past."""
    return Seen(
        hero=hero,
        due=due,
        profile_id=profile_id,
        decided=await _stated_delay(reader, profile_id, due),
        actions=await _actions(reader, profile_id),
    )


async def _until(
    holds: Callable[[], Any], due: Instant, clock: Callable[[], Instant]
) -> Duration | None:
    """How long after `due` it first held; None when patience ran out."""
    while (now := clock()) < due + PATIENCE:
        if await holds():
            return clock() - due
        await asyncio.sleep(max(0.0, _POLL_SECONDS - (clock() - now) / SECOND))
    return None


async def _is_in(reader: Reader, profile_id: str) -> bool:
    page = await reader.get(f"/v1/profiles/{profile_id}/segments")
    return any(item["segment"] == SEGMENT for item in page["items"])


async def _decided_on(reader: Reader, profile_id: str) -> bool:
    return bool(await _actions(reader, profile_id))


async def _actions(reader: Reader, profile_id: str) -> Sequence[Any]:
    """What the win-back campaign decided for the person, refusals included."""
    page = await reader.get(f"/v1/profiles/{profile_id}/actions")
    return [item for item in page["items"] if item["campaign"] == CAMPAIGN]


async def _stated_delay(reader: Reader, profile_id: str, due: Instant) -> Duration | None:
    page = await reader.get(f"/v1/segments/{SEGMENT}/history", limit=_HISTORY_PAGE)
    for move in page["items"]:
        if move["profile_id"] == profile_id and move["change"] == "entered":
            return instant(datetime.fromisoformat(move["decided_at"])) - due
    return None
