"""The demo, start to end."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console

from zhiyin.contracts.instants import SECOND, Duration, Instant
from zhiyin.demo.connection import read_connection
from zhiyin.demo.datasets.draft import Draft
from zhiyin.demo.datasets.households import household
from zhiyin.demo.drained import drained
from zhiyin.demo.gateway import Gateway, reach
from zhiyin.demo.heroes import Hero, choose, hero, moved
from zhiyin.demo.moment_view import show_moment
from zhiyin.demo.outcome import show_campaigns, show_delays, show_segments
from zhiyin.demo.person import show_person
from zhiyin.demo.plan import Plan, keep_plan, new_plan, read_plan
from zhiyin.demo.reconcile import Difference, reconcile, show_reconciliation, source_accounts
from zhiyin.demo.screen import meter
from zhiyin.demo.sending import send
from zhiyin.demo.story import Story, posted, shortened, whole_story
from zhiyin.demo.tags import set_tag_rules, show_tags

LIVE_RATE: Final = 200.0  # events a second: a busy shop, not a migration
MOMENT_IN: Final[Duration] = 22 * SECOND
_EVENTS_SHOWN: Final = 6


@dataclass(frozen=True, slots=True)
class Demo:
    """`held` are the households whose history waits until the end, so that their 90 days end while
    somebody watches; none on a second run, which posts the very same events again."""

    console: Console
    gateway: Gateway
    data: Path
    clock: Callable[[], Instant]
    story: Story
    plan: Plan
    heroes: Sequence[Hero]

    @property
    def held(self) -> frozenset[int]:
        return frozenset() if self.plan.own_shift else frozenset(h.who.number for h in self.heroes)


async def run_demo(
    console: Console,
    data: Path,
    clock: Callable[[], Instant],
    events: int | None = None,
    rate: float | None = None,
) -> bool:
    """Everything `zhiyin demo` does. False when orders or totals differ from the source's. Raises
    DemoError."""
    connection = read_connection(data)
    async with reach(connection) as gateway:
        demo = _prepare(console, gateway, data, clock, events)
        earlier = not demo.held
        await _stream(demo, rate)
        differences = await _reconcile(demo, demo.story.households - demo.held)
        if demo.held:
            demo, more = await _bring_in_heroes(demo)
            differences = [*differences, *more]
        _show_reconciliation(demo, differences)
        await _show_one_person(demo)
        await show_moment(console, gateway, demo.heroes, demo.plan, clock, earlier=earlier)
    console.print(f"It goes on running: {connection.gateway}/docs")
    return not differences


def _prepare(
    console: Console,
    gateway: Gateway,
    data: Path,
    clock: Callable[[], Instant],
    events: int | None,
) -> Demo:
    with console.status("reading the datasets"):
        story = whole_story()
        ends = story.ends
        story = shortened(story, events) if events else story
    plan = read_plan(data)
    if plan is None:
        plan = new_plan(ends, clock())
        keep_plan(data, plan)
    known = [int(number) for number in plan.own_shift if int(number) in story.households]
    heroes = [hero(story, number) for number in known] if plan.own_shift else choose(story)
    return Demo(console, gateway, data, clock, story, plan, heroes)


async def _stream(demo: Demo, rate: float | None) -> None:
    await set_tag_rules(demo.gateway)
    drafts = [draft for draft in demo.story.drafts if draft.household not in demo.held]
    plan = demo.plan
    history = [one for one in drafts if plan.when(one.at, one.household) < plan.live_from]
    live = [one for one in drafts if plan.when(one.at, one.household) >= plan.live_from]
    await _post(demo, "history", history, rate)
    await drained(demo.gateway, demo.console)
    await _post(demo, "the last three days, live", live, min(rate or LIVE_RATE, LIVE_RATE))
    system = await drained(demo.gateway, demo.console)
    await show_segments(demo.gateway, demo.console)
    await show_tags(demo.gateway, demo.console)
    await show_campaigns(demo.gateway, demo.console)
    show_delays(system, demo.console)


async def _post(demo: Demo, title: str, drafts: Sequence[Draft], rate: float | None) -> None:
    with meter(demo.console, title, len(drafts)) as progress:
        await send(demo.gateway, (posted(draft, demo.plan) for draft in drafts), progress, rate)


async def _bring_in_heroes(demo: Demo) -> tuple[Demo, Sequence[Difference]]:
    """Post what was held back, moved so that it becomes interesting in a moment. The plan is kept
    first: whatever happens next, a second run posts the same events."""
    held = demo.held
    plan = moved(demo.plan, demo.heroes, demo.clock() + MOMENT_IN)
    keep_plan(demo.data, plan)
    demo = replace(demo, plan=plan)
    await _post(demo, "three who have been away", [d for h in demo.heroes for d in h.drafts], None)
    await drained(demo.gateway, demo.console)
    return demo, await _reconcile(demo, held)


async def _reconcile(demo: Demo, households: Collection[int]) -> Sequence[Difference]:
    with demo.console.status("comparing every household with the source"):
        return await reconcile(demo.gateway, sorted(households), source_accounts())


def _show_reconciliation(demo: Demo, differences: Sequence[Difference]) -> None:
    source = source_accounts()
    accounts = [source[household] for household in demo.story.households]
    show_reconciliation(demo.console, accounts, differences)


async def _show_one_person(demo: Demo) -> None:
    who = demo.heroes[0].who if demo.heroes else household(min(demo.story.households))
    profile = await demo.gateway.get(f"/v1/profiles/by/member_id/{who.member_id}")
    path = f"/v1/profiles/{profile['profile_id']}"
    timeline = await demo.gateway.get(f"{path}/timeline", limit=_EVENTS_SHOWN)
    actions = await demo.gateway.get(f"{path}/actions", limit=_EVENTS_SHOWN)
    show_person(demo.console, profile, timeline["items"], actions["items"])
