"""One person as engagement knows them, and what the batch at hand decides for them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec import Struct

from services.engagement.domain.experiments import Trial
from services.engagement.domain.pressure import Contact
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot

INSIDE = frozenset({"active", "held"})
# What a run may wait on with its message held back.
HELD_BACK = frozenset({"quiet", "cap", "slot", "hour"})


class Waiting(Struct, frozen=True, array_like=True):
    """`on`: `time`, `event`; with the message held back, `quiet` (hours), `cap` (until there is
    room), `slot` (for whether something more important comes)."""

    on: str
    until: Instant


class Run(Struct, frozen=True, omit_defaults=True):
    """A person's way through one version of a campaign.

    `origin` is the person's id at entering, which names the run's actions for good; `step` is where
    it stands; `context` holds what templates may use: the trigger, coupons issued so far. `held`:
    its campaign is paused.
    """

    run_id: uuid.UUID
    profile_id: str
    origin: str
    campaign: str
    version: int
    occurrence: str
    entered_at: Instant
    state: str = "active"  # active, held, done, exited
    reason: str | None = None
    step: str | None = None
    waiting: Waiting | None = None
    context: Mapping[str, Any] = {}
    traceparent: str = ""

    @property
    def inside(self) -> bool:
        return self.state in INSIDE

    def waits_on(self, what: str) -> bool:
        return self.inside and self.waiting is not None and self.waiting.on == what

    def held_back_until(self, now: Instant) -> bool:
        """Whether its message has been held back, and need not be any more."""
        waiting = self.waiting
        return (
            self.inside and waiting is not None and waiting.on in HELD_BACK and waiting.until <= now
        )

    @property
    def timer_key(self) -> str:
        return f"run:{self.run_id}"


class Action(Struct, frozen=True, omit_defaults=True):
    """`state`: decided (to be delivered), sent (done), deferred, failed, skipped."""

    action_id: uuid.UUID
    profile_id: str
    campaign: str
    version: int
    occurrence: str
    run_id: uuid.UUID
    step: str
    kind: str
    purpose: str
    state: str
    at: Instant
    channel: str | None = None
    template: str | None = None
    reason: str | None = None
    due_at: Instant | None = None
    why: Mapping[str, Any] = {}
    data: Mapping[str, Any] = {}
    traceparent: str = ""


# The occurrence that stands for all reorder dates that had passed before they were known.
MISSED: Final = "missed"


class Decision(Struct, frozen=True, omit_defaults=True):
    """Whether somebody entered a campaign on an occurrence, and if not why. `times`: how many
    occurrences it stands for."""

    profile_id: str
    campaign: str
    version: int
    occurrence: str
    at: Instant
    entered: bool
    reason: str | None = None
    why: Mapping[str, Any] = {}
    goal_until: Instant | None = None
    times: int = 1
    trials: tuple[Trial, ...] = ()


@dataclass(slots=True)
class Customer:
    """State as of the lock, and the changes made to it since."""

    profile_id: str
    partition: int
    snapshot: Snapshot | None = None
    segments: frozenset[str] = frozenset()
    runs: dict[uuid.UUID, Run] = field(default_factory=dict)
    last_entry: dict[str, Instant] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)
    coupons: dict[str, int] = field(default_factory=dict)
    decided: set[tuple[str, str]] = field(default_factory=set)
    decisions: list[Decision] = field(default_factory=list)
    actions: dict[uuid.UUID, Action] = field(default_factory=dict)
    touched: set[uuid.UUID] = field(default_factory=set)

    def inside(self, campaign: str) -> bool:
        return any(run.inside and run.campaign == campaign for run in self.runs.values())

    def keep(self, run: Run) -> None:
        self.runs[run.run_id] = run
        self.touched.add(run.run_id)
