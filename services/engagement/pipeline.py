"""What engagement does with a batch: keep its copy of people, have campaigns decide, note it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.engagement.aftermath import give_back_coupons, reach_goals, use_coupons
from services.engagement.carry_out import carry_out
from services.engagement.catalogs import Catalogs
from services.engagement.crossing import cross
from services.engagement.dating import watch_days
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.customer import Action
from services.engagement.domain.occurrence import of_tag
from services.engagement.domain.respond import (
    Starts,
    Stimulus,
    event,
    heard_at,
    matters,
    respond,
)
from services.engagement.domain.walk import Effect
from services.engagement.gather import Gatherer
from services.engagement.incoming import Change, read
from services.engagement.keeping import Newest, Rows, keep_people
from services.engagement.outcomes import note_orders
from services.engagement.parking import Stimuli, hold_back, unpark
from services.engagement.reordering import watch_reorders
from services.engagement.store import people, runs
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Outcome, Outgoing, Rejected
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.log import Record
from zhiyin.runtime.telemetry import Telemetry


@dataclass(slots=True)
class Decided:
    """`heard`: for each action done now, when the platform heard of what brought it about."""

    outgoing: list[Outgoing] = field(default_factory=list)
    heard: list[Instant] = field(default_factory=list)


class Pipeline:
    """`wake` is told after each commit that there may be something to deliver."""

    def __init__(
        self,
        catalogs: Catalogs,
        gatherer: Gatherer,
        partitions: int,
        clock: Clock,
        telemetry: Telemetry,
        wake: Callable[[], None],
    ) -> None:
        self.catalogs = catalogs
        self.partitions = partitions
        self.telemetry = telemetry
        self._gatherer = gatherer
        self._clock = clock
        self._wake = wake

    async def apply(self, tx: Connection, records: Sequence[Record]) -> Outcome:
        now = self._clock()
        incoming = read(records)
        catalog = await self.catalogs.current(tx)
        rows = await people.lock(tx, incoming.people, self.partitions, incoming.formerly)
        fresh = await keep_people(tx, incoming.changes, rows, now)
        newest = Newest(rows)
        stimuli: Stimuli = defaultdict(list)
        for change in fresh:
            stimuli[people.final(rows, change.profile_id)] += _stimuli(change, catalog)
        present = [rows[each] for each in stimuli]
        await cross(tx, incoming.crossings, rows, catalog, stimuli, now)
        await unpark(tx, present, catalog, stimuli)
        await watch_reorders(tx, fresh, rows, newest, catalog, stimuli, now)
        await watch_days(tx, fresh, rows, newest, catalog, now)
        decided = await self.decide(tx, rows, stimuli, newest, catalog, now)
        await reach_goals(tx, fresh, rows, catalog)
        await note_orders(tx, fresh, rows, newest)
        await use_coupons(tx, fresh, self._gatherer.currency, now)
        await give_back_coupons(tx, fresh, rows, newest, now)
        return self.outcome(decided, incoming.rejected)

    async def decide(
        self,
        tx: Connection,
        rows: Rows,
        stimuli: Mapping[str, Sequence[Stimulus]],
        newest: Newest,
        catalog: Catalog,
        now: Instant,
        *,
        patient: bool = True,
    ) -> Decided:
        """Let these people, who are locked, respond to what has come for them. What takes more of
        them than is known yet is parked, unless there is no more patience."""
        present = {key: found for key, found in stimuli.items() if found and not rows[key].erased}
        under_way = await runs.inside(tx, list(present)) if present else []
        walking = {run.profile_id for run in under_way}
        concerned = {
            profile_id: found
            for profile_id, found in present.items()
            if profile_id in walking or any(map(matters, found))
        }
        if patient:
            concerned = await hold_back(tx, concerned, rows, walking, now)
        if not concerned:
            return Decided()
        gathered = await self._gatherer.gather(tx, rows, concerned, newest, under_way, catalog, now)
        decided = Decided()
        effects: list[Effect] = []
        for profile_id, customer in gathered.customers.items():
            for stimulus in concerned[profile_id]:
                led_to = respond(customer, stimulus, gathered.versions, gathered.around)
                decided.heard += _heard(stimulus, led_to)
                effects += led_to
        decided.outgoing = await carry_out(tx, gathered, effects)
        return decided

    def outcome(self, decided: Decided, rejected: Sequence[Rejected] = ()) -> Outcome:
        async def after_commit() -> None:
            now = self._clock()
            self.telemetry.delays.record_many(
                "event_to_action", [now - heard for heard in decided.heard]
            )
            if decided.outgoing:
                self._wake()

        return Outcome(outgoing=decided.outgoing, rejected=rejected, after_commit=after_commit)


def _stimuli(change: Change, catalog: Catalog) -> list[Stimulus]:
    return [*(event(cause, catalog) for cause in change.causes), *_tagged(change, catalog)]


def _tagged(change: Change, catalog: Catalog) -> list[Stimulus]:
    asked = {
        tag: campaigns
        for tag in change.tags_added
        if (campaigns := catalog.asked("tag.added", tag))
    }
    if not asked:
        return []
    tags = change.snapshot().tags
    imported = bool(change.causes) and all(cause.imported for cause in change.causes)
    received = max((cause.received_at for cause in change.causes), default=None)
    return [
        Starts(campaign, of_tag(tag, since, imported, received, change.traceparent))
        for tag, campaigns in asked.items()
        for since in [tags[tag].since if tag in tags else change.at]
        for campaign in campaigns
    ]


def _heard(stimulus: Stimulus, led_to: Sequence[Effect]) -> list[Instant]:
    at = heard_at(stimulus)
    done = any(isinstance(e, Action) and e.state in ("decided", "sent") for e in led_to)
    return [at] if done and at is not None else []
