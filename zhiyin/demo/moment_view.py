"""Showing the live moment."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from rich.console import Console

from zhiyin.contracts.instants import SECOND, Duration, Instant, rfc3339
from zhiyin.demo.gateway import Gateway
from zhiyin.demo.heroes import Hero
from zhiyin.demo.moment import CAMPAIGN, SEGMENT, Seen, recall, watch
from zhiyin.demo.plan import Plan

_LINE_EVERY: Final = 5  # seconds


async def show_moment(
    console: Console,
    gateway: Gateway,
    heroes: Sequence[Hero],
    plan: Plan,
    clock: Callable[[], Instant],
    *,
    earlier: bool,
) -> None:
    """Count down to the instant at which the first hero's 90 days end, then say what was seen; or,
    when that was on an `earlier` run, what was recorded."""
    if not heroes:
        console.print("An earlier run chose whose 90 days end; without --events they are shown.")
        return
    names = "、".join(hero.who.name for hero in heroes)
    ids = [await _profile_id(gateway, hero) for hero in heroes]
    people = list(zip(heroes, ids, strict=True))
    first = heroes[0].due(plan)
    if earlier and clock() > first:
        console.print(f"The 90 days of {names} ended on an earlier run.")
        for hero, profile_id in people:
            _tell(console, await recall(gateway, hero, profile_id, hero.due(plan)))
        return
    console.print(f"Now watch {names}: their 90 days end in a moment.")
    watching = asyncio.gather(
        *(watch(gateway, hero, key, hero.due(plan), clock) for hero, key in people)
    )
    await _count_down(console, first, clock)
    for seen in await watching:
        _tell(console, seen)


async def _profile_id(gateway: Gateway, hero: Hero) -> str:
    profile = await gateway.get(f"/v1/profiles/by/member_id/{hero.who.member_id}")
    return str(profile["profile_id"])


async def _count_down(console: Console, due: Instant, clock: Callable[[], Instant]) -> None:
    with console.status("") as status:
        while (left := due - clock()) > 0:
            seconds = -(-left // SECOND)
            status.update(f"in {seconds} s")
            if not console.is_terminal and seconds % _LINE_EVERY == 0:
                console.print(f"in {seconds} s")
            await asyncio.sleep(min(left / SECOND, 1.0))


def _tell(console: Console, seen: Seen) -> None:
    who = seen.hero.who
    console.print(f"{who.name} (member {who.member_id}), 90 days at {rfc3339(seen.due)}")
    console.print(
        f"  {SEGMENT} entered: recorded {_after(seen.decided)}, read {_after(seen.entered)}"
    )
    console.print(f"  {CAMPAIGN} decided: read {_after(seen.acted)}")
    for action in seen.actions:
        words = (action.get(name) for name in ("kind", "state", "channel", "reason"))
        console.print("    " + " · ".join(str(word) for word in words if word), markup=False)


def _after(delay: Duration | None) -> str:
    return "–" if delay is None else f"{delay / 1000:,.1f} ms after"
