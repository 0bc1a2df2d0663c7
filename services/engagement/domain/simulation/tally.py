"""What came of a trial, added up over people: small, whatever their number."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from services.engagement.domain.chance import fraction
from zhiyin.contracts.instants import Instant

MOST_STORIES: Final = 20
MOST_LINES: Final = 60


class Line(Struct, array_like=True):
    """One moment of a story: `what` happened, and why."""

    at: Instant
    campaign: str
    what: str
    detail: str


class Story(Struct, array_like=True):
    """`place`: by which the stories shown are drawn, the same in every trial."""

    place: float
    profile_id: str
    lines: list[Line]


class CouponTally(Struct):
    """`used`: the person ordered enough in time, anyway; `discount` in minor units, of those."""

    issued: int = 0
    used: int = 0
    discount: int = 0


class Tally(Struct):
    """Of the campaign that is tried, unless said otherwise.

    - `decisions`: outcome (`entered`, or the reason not) → times; `entered_days`: day → times
    - `messages`: channel → sent; `message_days`; `held_back`: reason → messages dropped;
      `deferred`: reason → messages put off; `others`: campaign → messages of those beside it
    - `actions`: step → kind and state (and reason) → times
    - `reached`: of those who entered, who did anyway within its time what the campaign is for
    - `segment_days`: day → [entered, left]; `members`: [at the beginning, at the end]
    """

    people: int = 0
    events: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    entered_days: dict[str, int] = field(default_factory=dict)
    entered_people: int = 0
    messages: dict[str, int] = field(default_factory=dict)
    message_days: dict[str, int] = field(default_factory=dict)
    held_back: dict[str, int] = field(default_factory=dict)
    deferred: dict[str, int] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    actions: dict[str, dict[str, int]] = field(default_factory=dict)
    coupons: dict[str, CouponTally] = field(default_factory=dict)
    measured: int = 0
    reached: int = 0
    segment_days: dict[str, list[int]] = field(default_factory=dict)
    members: list[int] = field(default_factory=lambda: [0, 0])
    stories: list[Story] = field(default_factory=list)

    def tell(self, profile_id: str, lines: list[Line]) -> None:
        """Keep a story if it is among those drawn."""
        if not lines:
            return
        place = fraction("story", profile_id)
        if len(self.stories) == MOST_STORIES and place >= self.stories[-1].place:
            return
        self.stories.append(Story(place, profile_id, lines[:MOST_LINES]))
        self.stories.sort(key=lambda story: story.place)
        del self.stories[MOST_STORIES:]


def count(into: dict[str, int], name: str, times: int = 1) -> None:
    into[name] = into.get(name, 0) + times


def total(counts: Mapping[str, int]) -> int:
    return sum(counts.values())
