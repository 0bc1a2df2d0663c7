"""One person's life through a scenario, moment by moment, decided by the live code."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.engagement.domain.around import around
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.coupons import Coupon
from services.engagement.domain.customer import Action, Customer
from services.engagement.domain.occurrence import of_segment, of_tag
from services.engagement.domain.respond import (
    Due,
    Starts,
    Stimulus,
    Versions,
    event,
    respond,
)
from services.engagement.domain.simulation.budgets import Budgets
from services.engagement.domain.simulation.dates import Dates
from services.engagement.domain.simulation.memberships import (
    Crossed,
    Memberships,
    Unreplayable,
)
from services.engagement.domain.simulation.scenario import Scenario
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import decode_snapshot
from zhiyin.contracts.replays import Life, Step
from zhiyin.contracts.segments import SegmentChanged

CODE: Final = "A-COUPON-OF-THE-TRIAL"
_MOST_AT_ONCE: Final = 1_000


@dataclass(slots=True)
class Relived:
    """What came of it: `customer` has the decisions; `crossed`, the segments entered and left."""

    scenario: Scenario
    life: Life
    budgets: Budgets
    customer: Customer = field(init=False)
    memberships: Memberships = field(init=False)
    dates: Dates = field(init=False)
    actions: list[Action] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    crossed: list[Crossed] = field(default_factory=list)
    was_inside: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        profile_id = self.life.profile_id
        self.customer = Customer(profile_id, 0)
        self.memberships = Memberships(self.scenario.segments)
        self.dates = Dates(self.scenario, profile_id, past=self.scenario.since - 1)

    def run(self) -> None:
        self._begin()
        steps, standstill, last = iter(self.life.steps), 0, -1
        step = next(steps, None)
        while True:
            at = self._next_by_time()
            if step is not None and (at is None or step.at < at):
                self._change(step)
                step = next(steps, None)
            elif at is not None and at < self.scenario.until:
                standstill = standstill + 1 if at == last else 0
                if standstill > _MOST_AT_ONCE:
                    raise Unreplayable(f"time stands still for {self.life.profile_id} at {at}")
                last = at
                self._time(at)
            else:
                return

    def _begin(self) -> None:
        """What the person was before counts as having been so: nobody enters anything by it."""
        if not self.life.known:
            return
        snapshot = decode_snapshot(bytes(self.life.before))
        self.customer.snapshot = snapshot
        self.memberships.look(snapshot, self.scenario.since)
        self._know_segments()
        self.was_inside = self.customer.segments
        self.dates.look(snapshot, self.scenario.since - 1, anew=True)

    def _next_by_time(self) -> Instant | None:
        if self.customer.snapshot is None:
            return None
        coming = [self.memberships.next_flip, self.dates.next(self.customer.segments)]
        coming += [
            run.waiting.until
            for run in self.customer.runs.values()
            if run.inside and run.waiting is not None
        ]
        return min((at for at in coming if at is not None), default=None)

    def _change(self, step: Step) -> None:
        snapshot = decode_snapshot(bytes(step.snapshot))
        self.customer.snapshot = snapshot
        self.dates.pass_by(step.at)
        stimuli: list[Stimulus] = [event(cause, self.scenario.catalog) for cause in step.cause]
        stimuli += self._tagged(step)
        stimuli += self.dates.look(snapshot, step.at, anew=False)
        self._respond(stimuli, step.at)
        self._cross(step.at)

    def _time(self, now: Instant) -> None:
        self.dates.pass_by(now)
        self._cross(now)
        snapshot = self.customer.snapshot
        if snapshot is None:
            return
        due: list[Stimulus] = [
            Due(run.run_id)
            for run in self.customer.runs.values()
            if run.inside and run.waiting is not None and run.waiting.until <= now
        ]
        due += self.dates.due(snapshot, self.customer.segments, now)
        self._respond(due, now)

    def _cross(self, now: Instant) -> None:
        """Segments are looked at after the campaigns have heard of the event itself, as it is when
        both are services of their own."""
        if self.customer.snapshot is None:
            return
        crossed = self.memberships.look(self.customer.snapshot, now)
        if not crossed:
            return
        self.crossed += crossed
        self._know_segments()
        stimuli = [start for each in crossed for start in self._entered(each)]
        self._respond(stimuli, now)

    def _entered(self, crossed: Crossed) -> Iterator[Starts]:
        change = "entered" if crossed.entered else "left"
        asked = self.scenario.catalog.asked(f"segment.{change}", crossed.segment)
        if asked:
            occurrence = of_segment(self._told(crossed))
            yield from (Starts(campaign, occurrence) for campaign in asked)

    def _told(self, crossed: Crossed) -> SegmentChanged:
        return SegmentChanged(
            message_id="",
            profile_id=self.customer.profile_id,
            segment=crossed.segment,
            change="entered" if crossed.entered else "left",
            at=crossed.at,
            decided_at=crossed.at,
            cause="event",
            rule_version=0,
            profile_version=0,
        )

    def _tagged(self, step: Step) -> Iterator[Starts]:
        catalog = self.scenario.catalog
        for tag in step.tags_added:
            occurrence = of_tag(tag, step.at, imported=False, received_at=step.at, traceparent="")
            yield from (
                Starts(campaign, occurrence) for campaign in catalog.asked("tag.added", tag)
            )

    def _respond(self, stimuli: list[Stimulus] | list[Starts], now: Instant) -> None:
        for stimulus in stimuli:
            remaining = self.budgets.remaining(self.customer.profile_id, now)
            circumstances = around(
                self.scenario.catalog, remaining, lambda _: CODE, self.scenario.currency, now
            )
            for effect in respond(self.customer, stimulus, self._versions, circumstances):
                match effect:
                    case Action():
                        self.actions.append(effect)
                    case Coupon():
                        self.coupons.append(effect)
                    case _:
                        pass  # a tag it sets is not among the events that were
        runs = self.customer.runs
        self.customer.runs = {key: run for key, run in runs.items() if run.inside}

    @property
    def _versions(self) -> Versions:
        return {(c.key, c.version): c for c in self._campaigns}

    @property
    def _campaigns(self) -> Iterator[Campaign]:
        return iter(self.scenario.catalog.campaigns.values())

    def _know_segments(self) -> None:
        self.customer.segments = frozenset(self.memberships.inside)
