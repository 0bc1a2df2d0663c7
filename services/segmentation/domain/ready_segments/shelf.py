"""The whole library, in the order in which it is shown, and which of it every platform has."""

from collections.abc import Iterable
from typing import Final

from services.segmentation.domain.ready_segments.by_behaviour import CHANNEL, INTENT, RISK
from services.segmentation.domain.ready_segments.by_orders import LIFECYCLE, RFM, VALUE
from services.segmentation.domain.ready_segments.by_person import HEALTH, PERSONA, SCENARIO
from services.segmentation.domain.ready_segments.entry import Ready
from zhiyin.rules import parse, segments_read
from zhiyin.rules.words.language import Words, same

LIBRARY: Final[tuple[Ready, ...]] = (
    *RFM,
    *LIFECYCLE,
    *VALUE,
    *PERSONA,
    *HEALTH,
    *SCENARIO,
    *INTENT,
    *CHANNEL,
    *RISK,
)
BY_KEY: Final = {each.key: each for each in LIBRARY}
# Live from the first start: the RFM classes, over which scenarios are labelled, what the ready
# campaigns start from, and what almost every shop asks first. Each live segment costs every event.
STANDARD: Final = frozenset(
    {
        *("high-value-loyal", "potential-growth", "churn-warning", "dormant", "new-or-small"),
        *("new-customers", "first-order-7d", "dormant-90d", "loyal-10-a-year"),
        *("big-spender-10k", "open-complaint"),
    }
)


def with_what_they_read(keys: Iterable[str]) -> list[Ready]:
    """These of the library and all that they read, however far removed, in its order."""
    found: set[str] = set()
    wanted = list(keys)
    while wanted:
        key = wanted.pop()
        if key not in found:
            found.add(key)
            wanted += segments_read(parse(BY_KEY[key].rule))
    return [each for each in LIBRARY if each.key in found]


def ready(key: str, name: str) -> Ready | None:
    """The library's entry of a segment that still goes by its name there."""
    found = BY_KEY.get(key)
    return found if found is not None and found.name.zh == name else None


def words_of(key: str, name: str) -> Words:
    """A segment's name in both languages; an operator's own name is the same in both."""
    found = ready(key, name)
    return same(name) if found is None else found.name
