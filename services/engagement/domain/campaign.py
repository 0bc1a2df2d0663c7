"""A campaign ready to be decided on: its spec checked, its rules compiled, its steps a graph."""

from dataclasses import dataclass

from services.engagement.domain.journey import Journey
from services.engagement.domain.match import Goal, Match
from zhiyin.contracts.campaigns import (
    CampaignSpec,
    SegmentEnteredTrigger,
    SegmentLeftTrigger,
    TagAddedTrigger,
)
from zhiyin.contracts.instants import Duration
from zhiyin.contracts.profiles import Cause
from zhiyin.rules import Compiled


@dataclass(frozen=True, slots=True)
class EventStart:
    """`first`: only a person's first event of the type."""

    match: Match
    first: bool = False


@dataclass(frozen=True, slots=True)
class ReorderStart:
    """`substitutes`: whether something else of the same category meets the need."""

    lead: Duration
    substitutes: bool = False


# The checked form of a trigger; segments and tags need no more than what was posted.
Start = EventStart | SegmentEnteredTrigger | SegmentLeftTrigger | TagAddedTrigger | ReorderStart


@dataclass(frozen=True, slots=True)
class Campaign:
    """One version of a campaign. `state` is the campaign's own, the same for all its versions."""

    spec: CampaignSpec
    version: int
    state: str
    start: Start
    where: Compiled | None
    journey: Journey
    reentry: Duration | None
    exit_on: Match | None
    goal: Goal | None

    @property
    def key(self) -> str:
        return self.spec.key

    @property
    def purpose(self) -> str:
        return self.spec.purpose

    @property
    def trigger_kind(self) -> str:
        match self.start:
            case EventStart():
                return "event"
            case SegmentEnteredTrigger():
                return "segment.entered"
            case SegmentLeftTrigger():
                return "segment.left"
            case TagAddedTrigger():
                return "tag.added"
            case ReorderStart():
                return "reorder.due"

    @property
    def first(self) -> bool:
        """Whether only a person's first event of the type begins it."""
        return isinstance(self.start, EventStart) and self.start.first

    @property
    def about(self) -> str:
        """The event type, segment or tag its trigger waits for; nothing for reorders."""
        match self.start:
            case EventStart(match=match):
                return match.event
            case SegmentEnteredTrigger(segment=segment) | SegmentLeftTrigger(segment=segment):
                return segment
            case TagAddedTrigger(tag=tag):
                return tag
            case ReorderStart():
                return ""

    def starts_with(self, cause: Cause) -> bool:
        """Whether an event is the one this campaign begins with."""
        return isinstance(self.start, EventStart) and self.start.match.holds(cause)
