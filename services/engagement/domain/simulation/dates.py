"""What is to come for a person by time: reorder dates, days, schedules, broadcasts."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.engagement.domain.campaign import BroadcastStart, Campaign
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.dates import Coming, DateStart
from services.engagement.domain.missing import missed
from services.engagement.domain.occurrence import of_broadcast, of_date, of_tick
from services.engagement.domain.reorder import Watch, plan_watches
from services.engagement.domain.respond import Starts, Stimulus
from services.engagement.domain.simulation.scenario import Scenario
from services.engagement.domain.zones import zone_of
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts import reorders
from zhiyin.rules import Person


@dataclass(slots=True)
class Dates:
    """Kept by every change of the person; each fires once. `over`: reorder dates that had passed
    before they were known."""

    scenario: Scenario
    profile_id: str
    watches: list[Watch] = field(default_factory=list)
    over: list[Watch] = field(default_factory=list)
    days: dict[str, Coming] = field(default_factory=dict)
    past: Instant = 0  # schedules and broadcasts up to here are over
    sent: set[str] = field(default_factory=set)

    def look(self, snapshot: Snapshot, now: Instant, *, anew: bool) -> list[Stimulus]:
        """Date everything again; `anew`: the life begins, and what passed before is over."""
        reordering = self._catalog.asked("reorder.due")
        found: list[Stimulus] = []
        if reordering:
            dated = reorders(snapshot.facts)
            known = (*self.watches, *self.over)
            plan = plan_watches(self.profile_id, dated, reordering, known, now)
            gone = {watch.identity for watch in plan.drop}
            places = {(watch.campaign, watch.sku) for watch in (*plan.set, *plan.missed)}
            self.watches, self.over = (
                [
                    watch
                    for watch in watches
                    if watch.identity not in gone and (watch.campaign, watch.sku) not in places
                ]
                for watches in (self.watches, self.over)
            )
            self.watches += plan.set
            self.over += plan.missed
            if not anew:
                found += missed(plan.missed, self._catalog)
        self._date(snapshot, now)
        return found

    def next(self, inside: frozenset[str]) -> Instant | None:
        """When the next of all these comes."""
        coming = [watch.fire_at for watch in self.watches]
        coming += [each.at for each in self.days.values()]
        coming += [at for _, at in self._scheduled(inside)]
        return min(coming, default=None)

    def pass_by(self, now: Instant) -> None:
        """What was before `now` is over: whoever enters a segment now missed its schedules."""
        self.past = max(self.past, now - 1)

    def due(self, snapshot: Snapshot, inside: frozenset[str], now: Instant) -> list[Stimulus]:
        """What has come by `now`; the next days are dated."""
        campaigns = self._catalog.campaigns
        found: list[Stimulus] = [
            Starts(campaigns[watch.campaign], watch.occurrence)
            for watch in self.watches
            if watch.fire_at <= now
        ]
        self.watches = [watch for watch in self.watches if watch.fire_at > now]
        for key, coming in sorted(self.days.items()):
            if coming.at <= now and isinstance(start := campaigns[key].start, DateStart):
                occurrence = of_date(coming.name, start.what, coming.day, coming.at)
                found.append(Starts(campaigns[key], occurrence))
        self._date(snapshot, now)
        found += self._fire_scheduled(inside, now)
        self.past = max(self.past, now)
        return found

    @property
    def _catalog(self) -> Catalog:
        return self.scenario.catalog

    def _date(self, snapshot: Snapshot, now: Instant) -> None:
        asked = self._catalog.asked("date")
        if not asked:
            return
        person, zone = Person(snapshot), zone_of(snapshot, self.scenario.zone)
        coming = {
            each.key: each.start.next(person, zone, now)
            for each in asked
            if isinstance(each.start, DateStart)
        }
        self.days = {key: found for key, found in coming.items() if found is not None}

    def _fire_scheduled(self, inside: frozenset[str], now: Instant) -> Iterator[Stimulus]:
        for campaign, at in list(self._scheduled(inside)):
            if at > now:
                continue
            if isinstance(campaign.start, BroadcastStart):
                self.sent.add(campaign.key)
                yield Starts(campaign, of_broadcast(campaign.about, at))
            else:
                yield Starts(campaign, of_tick(campaign.about, at, 0))

    def _scheduled(self, inside: frozenset[str]) -> Iterator[tuple[Campaign, Instant]]:
        """Of schedules and broadcasts to a segment the person is in, when they come next."""
        ticks: Mapping[str, Sequence[Instant]] = self.scenario.ticks
        for key, instants in ticks.items():
            campaign = self._catalog.campaigns[key]
            if campaign.about not in inside:
                continue
            place = bisect_left(instants, self.past + 1)
            if place < len(instants):
                yield campaign, instants[place]
        for campaign in self._broadcasts():
            if campaign.about in inside and campaign.key not in self.sent:
                at = campaign.start.at if isinstance(campaign.start, BroadcastStart) else None
                once = max(at or self.scenario.since, self.scenario.since)
                if once > self.past:
                    yield campaign, once

    def _broadcasts(self) -> Iterator[Campaign]:
        for campaign in self._catalog.campaigns.values():
            if isinstance(campaign.start, BroadcastStart):
                yield campaign
