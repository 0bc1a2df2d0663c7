"""A campaign ready to be decided on: its spec checked, its rules compiled, its steps a graph."""

from dataclasses import dataclass

from services.engagement.domain.cron import Cron
from services.engagement.domain.dates import DateStart
from services.engagement.domain.journey import Journey
from services.engagement.domain.match import Goal, Match
from zhiyin.contracts.campaigns import (
    CampaignSpec,
    SegmentEnteredTrigger,
    SegmentLeftTrigger,
    TagAddedTrigger,
)
from zhiyin.contracts.instants import Duration, Instant
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


@dataclass(frozen=True, slots=True)
class ScheduleStart:
    cron: Cron
    segment: str


@dataclass(frozen=True, slots=True)
class BroadcastStart:
    """`at` None: as soon as it is launched."""

    segment: str
    at: Instant | None


# The checked form of a trigger; segments and tags need no more than what was posted.
Start = (
    EventStart
    | SegmentEnteredTrigger
    | SegmentLeftTrigger
    | TagAddedTrigger
    | ReorderStart
    | DateStart
    | ScheduleStart
    | BroadcastStart
)


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
    patience: Duration = 0

    @property
    def key(self) -> str:
        return self.spec.key

    @property
    def purpose(self) -> str:
        return self.spec.purpose

    @property
    def quiet_hours(self) -> str:
        return self.spec.pressure.quiet_hours

    @property
    def caps(self) -> str:
        return self.spec.pressure.caps

    @property
    def trigger_kind(self) -> str:
        return str(self.spec.trigger.__struct_config__.tag)

    @property
    def first(self) -> bool:
        """Whether only a person's first event of the type begins it."""
        return isinstance(self.start, EventStart) and self.start.first

    @property
    def about(self) -> str:
        """The event type, segment or tag its trigger waits for; nothing for days."""
        match self.start:
            case EventStart(match=match):
                return match.event
            case (
                SegmentEnteredTrigger(segment=segment)
                | SegmentLeftTrigger(segment=segment)
                | ScheduleStart(segment=segment)
                | BroadcastStart(segment=segment)
            ):
                return segment
            case TagAddedTrigger(tag=tag):
                return tag
            case ReorderStart() | DateStart():
                return ""

    def starts_with(self, cause: Cause) -> bool:
        """Whether an event is the one this campaign begins with."""
        return isinstance(self.start, EventStart) and self.start.match.holds(cause)
