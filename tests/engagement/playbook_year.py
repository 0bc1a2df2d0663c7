"""A year of the demo's households through every ready campaign, on a clock of its own.

What is real and what is not is the demo's (docs/operations.md). Besides, store visits, ratings,
points about to expire and new tiers are made up from the purchases by a stable chance.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from services.engagement.domain.playbooks.shelf import LIBRARY
from services.engagement.playbooks import Playbooks
from services.engagement.store import settings
from services.segmentation.domain.ready_segments.shelf import BY_KEY, STANDARD
from tests.engagement.harness import Instance
from tests.engagement.ledger_check import broken_promises, lives_of
from tests.engagement.virtual import VirtualPlatform
from tests.segmentation.people import rules_of
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, Instant, moment
from zhiyin.demo.datasets.draft import Draft, chance
from zhiyin.demo.story import whole_story

# Scarce enough for some to come too late.
BUDGETS = {"cart-10": 40, "store-15": 25, "birthday-30": 60}
_CUSTOM = (
    ("browse.visited_store", {"store_id": "S-1"}, 9),
    ("support.rated", {"ticket_id": "T-made-up", "score": 2}, 60),
    ("custom.points_expiring", {"points": 300}, 40),
    ("custom.tier_upgraded", {"tier": "gold"}, 70),
)


def households(most: int | None = None) -> list[Event]:
    """Every household's year, or of so many spread over all, oldest first."""
    by_household: defaultdict[int, list[Draft]] = defaultdict(list)
    for draft in whole_story().drafts:
        if draft.household is not None:
            by_household[draft.household].append(draft)
    numbers = sorted(by_household)
    chosen = numbers if most is None else numbers[:: max(len(numbers) // most, 1)][:most]
    drafts = (draft for number in chosen for draft in by_household[number])
    found = [event for draft in drafts for event in _told(draft)]
    return sorted(found, key=lambda event: (event.occurred_at, event.event_id))


def _told(draft: Draft) -> Iterator[Event]:
    who = {**draft.customer, "member_id": f"H{draft.household}"}
    yield _event(draft.at, draft.event_id, draft.type, draft.source, who, draft.properties)
    if draft.type != "purchase.completed":
        return
    for kind, properties, one_in in _CUSTOM:
        if chance("made up", kind, draft.event_id) % one_in == 0:
            at = draft.at + (chance("when", kind, draft.event_id) % 72 + 30) * HOUR
            yield _event(at, f"{kind}-{draft.event_id}", kind, "made-up", who, properties)


def _event(
    at: Instant, event_id: str, kind: str, source: str, who: dict[str, str], properties: Any
) -> Event:
    body = msgspec.Raw(msgspec.json.encode(properties))
    return Event(event_id, kind, moment(at), who, body, source)


async def live_a_year(instance: Instance, events: Sequence[Event], window: Instant) -> list[str]:
    """Returns every broken promise."""
    began = int(events[0].occurred_at.timestamp()) * 1_000_000
    ended = int(events[-1].occurred_at.timestamp()) * 1_000_000
    instance.now = began - DAY
    playbooks = Playbooks(instance.db, instance.editor, instance.clock)
    for each in LIBRARY:
        await playbooks.install(each.key, "bench", launch=True)
    await _limit_budgets(instance)
    rules = {key: BY_KEY[key].rule for key in sorted(STANDARD)}
    platform = VirtualPlatform(instance, rules_of(rules))
    await platform.live(events, ended + 30 * DAY, window)
    return await broken_promises(instance, lives_of(events))


async def _limit_budgets(instance: Instance) -> None:
    async with instance.db.connection() as connection:
        specs = {spec.key: spec for spec, _ in await settings.coupon_templates(connection)}
    for key, budget in BUDGETS.items():
        spec = msgspec.structs.replace(specs[key], budget=budget)
        await instance.settings.put_coupon_template(spec)


async def counts(instance: Instance) -> dict[str, Counter[str]]:
    """By campaign: entered, why not, what was done and what was not."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for campaign, reason, count in await instance.fetch(
        "SELECT campaign, reason, sum(times) FROM decision GROUP BY campaign, reason"
    ):
        found[campaign][f"not entered: {reason}" if reason else "entered"] += int(count)
    for campaign, kind, state, reason, count in await instance.fetch(
        "SELECT campaign, kind, state, reason, count(*) FROM action GROUP BY 1, 2, 3, 4"
    ):
        done = "" if state in ("decided", "sent") else f" {state}: {reason}"
        found[campaign][f"{kind}{done}"] += count
    return dict(found)
