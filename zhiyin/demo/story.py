"""All the demo's events in the order in which they happened, ready to be posted."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import msgspec

from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.demo.datasets.clicks import clicks, read_clicks
from zhiyin.demo.datasets.draft import Draft, chance
from zhiyin.demo.datasets.households import introductions
from zhiyin.demo.datasets.purchases import Basket, purchases, read_baskets
from zhiyin.demo.datasets.words import read_texts, words
from zhiyin.demo.plan import Plan

DATASETS: Final = ("purchases", "clicks", "words")
_encode: Final[Callable[[Any], bytes]] = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Story:
    """`drafts` oldest first; `baskets` are those of `households`."""

    drafts: Sequence[Draft]
    baskets: Sequence[Basket]

    @property
    def ends(self) -> Instant:
        return self.baskets[-1].at

    @property
    def households(self) -> frozenset[int]:
        return frozenset(basket.household for basket in self.baskets)

    def of(self, household: int) -> Sequence[Draft]:
        return [draft for draft in self.drafts if draft.household == household]


def whole_story(datasets: Sequence[str] = DATASETS) -> Story:
    """Reads the datasets named. Raises DemoError when a package is missing."""
    baskets = read_baskets()
    drafts = sorted(_drafts(baskets, datasets), key=attrgetter("at", "event_id"))
    return Story(drafts, baskets)


def shortened(story: Story, events: int) -> Story:
    """Whole households until there are about `events` events: orders still add up."""
    sizes = Counter(draft.household for draft in story.drafts if draft.household is not None)
    chosen: set[int] = set()
    taken = 0
    for household in sorted(story.households, key=lambda number: chance("chosen", number)):
        if taken + sizes[household] <= events or not chosen:
            chosen.add(household)
            taken += sizes[household]
    return Story(
        [draft for draft in story.drafts if draft.household in chosen],
        [basket for basket in story.baskets if basket.household in chosen],
    )


def posted(draft: Draft, plan: Plan, *, imported: bool | None = None) -> bytes:
    """The event as JSON. `imported` None: by its time."""
    at = plan.when(draft.at, draft.household)
    event: dict[str, Any] = {
        "event_id": draft.event_id,
        "type": draft.type,
        "occurred_at": rfc3339(at),
        "source": draft.source,
        "customer": draft.customer,
        "properties": draft.properties,
    }
    if imported if imported is not None else at < plan.live_from:
        event["import"] = True
    return _encode(event)


def _drafts(baskets: Sequence[Basket], datasets: Sequence[str]) -> Iterator[Draft]:
    first_orders: dict[int, Instant] = {}
    for basket in baskets:
        first_orders.setdefault(basket.household, basket.at)
    ends = baskets[-1].at
    if "purchases" in datasets:
        yield from introductions(first_orders)
        yield from purchases(baskets)
    if "clicks" in datasets:
        yield from clicks(read_clicks(), baskets, sorted(first_orders), ends)
    if "words" in datasets:
        yield from words(baskets, read_texts(), ends)
