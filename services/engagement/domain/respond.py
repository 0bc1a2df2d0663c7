"""What happens to one person, stimulus by stimulus, in the order in which they came."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from services.engagement.domain.advance import due, enter, happened, move, proceed
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.customer import MISSED, Customer, Decision, Run, Waiting
from services.engagement.domain.decide import decide
from services.engagement.domain.match import properties
from services.engagement.domain.occurrence import Occurrence, of_event
from services.engagement.domain.walk import Effect
from zhiyin.contracts.events import event_uid
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause

Versions = Mapping[tuple[str, int], Campaign]


@dataclass(frozen=True, slots=True)
class Starts:
    """An occurrence that a campaign is to decide on."""

    campaign: Campaign
    occurrence: Occurrence


@dataclass(frozen=True, slots=True)
class Happened:
    """An event, with the campaigns it may start: journeys under way hear of it first, so that
    nobody's own trigger ends their wait."""

    cause: Cause
    starts: tuple[Starts, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """The instant that a run waits for has come."""

    run_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Resumed:
    """A campaign was launched again, or ended: its runs go on, or leave."""

    campaign: str


@dataclass(frozen=True, slots=True)
class Moved:
    """This version takes in those who are inside an older one."""

    campaign: Campaign


@dataclass(frozen=True, slots=True)
class Missed:
    """Reorder dates that had passed before they were first known: counted, not acted on. `newest`:
    the one that passed last."""

    campaign: Campaign
    newest: Occurrence
    times: int


Stimulus = Happened | Starts | Due | Resumed | Moved | Missed


def event(cause: Cause, catalog: Catalog) -> Happened:
    """The stimulus of an event: matched against the triggers, once for everybody."""
    asked = [each for each in catalog.asked("event", cause.type) if each.starts_with(cause)]
    if not asked:
        return Happened(cause, ())
    uid = str(event_uid(cause.source, cause.event_id))
    occurrence = of_event(cause, uid, properties(cause))
    return Happened(cause, tuple(Starts(campaign, occurrence) for campaign in asked))


def starts_of(stimuli: Iterable[Stimulus]) -> list[tuple[Campaign, Occurrence]]:
    """Every decision these stimuli ask for."""
    found: list[tuple[Campaign, Occurrence]] = []
    for stimulus in stimuli:
        match stimulus:
            case Happened(starts=starts):
                found += ((each.campaign, each.occurrence) for each in starts)
            case Starts():
                found.append((stimulus.campaign, stimulus.occurrence))
            case Due() | Resumed() | Moved() | Missed():
                pass
    return found


def heard_at(stimulus: Stimulus) -> Instant | None:
    """When the platform heard of what this is about; None if time alone brought it."""
    match stimulus:
        case Happened(cause=cause):
            return cause.received_at
        case Starts(occurrence=occurrence):
            return occurrence.received_at
        case Due() | Resumed() | Moved() | Missed():
            return None


def matters(stimulus: Stimulus) -> bool:
    """Whether it can concern somebody who is inside no campaign."""
    return not isinstance(stimulus, Happened) or bool(stimulus.starts)


def needs_person(stimulus: Stimulus) -> bool:
    """Whether deciding takes more than the stimulus itself: history never does."""
    match stimulus:
        case Happened(starts=starts):
            return any(not each.occurrence.imported for each in starts)
        case Starts(occurrence=occurrence):
            return not occurrence.imported
        case Due() | Resumed() | Moved():
            return True
        case Missed():
            return False


def respond(
    customer: Customer, stimulus: Stimulus, versions: Versions, around: Circumstances
) -> list[Effect]:
    match stimulus:
        case Happened(cause=cause, starts=starts):
            effects = _to_runs(customer, cause, versions, around)
            for each in starts:
                effects += _start(customer, each.campaign, each.occurrence, around)
            return effects
        case Starts(campaign=campaign, occurrence=occurrence):
            return _start(customer, campaign, occurrence, around)
        case Due(run_id=run_id):
            return _on_time(customer, run_id, versions, around)
        case Resumed(campaign=key):
            return _resume(customer, key, versions, around)
        case Moved(campaign=campaign):
            return _move(customer, campaign, versions, around)
        case Missed():
            customer.decisions.append(_missed(customer, stimulus, around))
            return []


def _to_runs(
    customer: Customer, cause: Cause, versions: Versions, around: Circumstances
) -> list[Effect]:
    effects: list[Effect] = []
    for run in [run for run in customer.runs.values() if run.inside]:
        campaign = versions.get((run.campaign, run.version))
        if campaign is not None:
            effects += happened(run, cause, campaign, customer, around)
    return effects


def _start(
    customer: Customer, campaign: Campaign, occurrence: Occurrence, around: Circumstances
) -> list[Effect]:
    if not _first(customer, campaign, occurrence):
        return []
    decision = decide(customer, campaign, occurrence, around)
    customer.decisions.append(decision)
    return enter(customer, campaign, occurrence, around) if decision.entered else []


def _on_time(
    customer: Customer, run_id: uuid.UUID, versions: Versions, around: Circumstances
) -> list[Effect]:
    """Messages held back are let go together, the most important first: it takes the room there
    is, however much earlier the others came."""
    run = customer.runs.get(run_id)
    if run is None:
        return []
    effects: list[Effect] = []
    for each in _let_go_with(run, customer, versions, around.now):
        campaign = versions.get((each.campaign, each.version))
        if campaign is not None:
            effects += due(each, campaign, customer, around)
    return effects


def _let_go_with(run: Run, customer: Customer, versions: Versions, now: Instant) -> Sequence[Run]:
    if not run.held_back_until(now):
        return [run]
    together = [
        # Whoever waits for something more important waits no longer than the first of them.
        replace(each, waiting=Waiting("slot", now)) if each.waits_on("slot") else each
        for each in customer.runs.values()
        if each.held_back_until(now) or each.waits_on("slot")
    ]

    def rank(each: Run) -> tuple[int, Instant, uuid.UUID]:
        campaign = versions.get((each.campaign, each.version))
        return -campaign.spec.priority if campaign else 0, each.entered_at, each.run_id

    return sorted(together, key=rank)


def _resume(
    customer: Customer, key: str, versions: Versions, around: Circumstances
) -> list[Effect]:
    effects: list[Effect] = []
    for run in [run for run in customer.runs.values() if run.inside and run.campaign == key]:
        campaign = versions.get((run.campaign, run.version))
        if campaign is not None and (run.state == "held" or campaign.state == "ended"):
            effects += proceed(run, campaign, customer, around)
    return effects


def _move(
    customer: Customer, campaign: Campaign, versions: Versions, around: Circumstances
) -> list[Effect]:
    effects: list[Effect] = []
    for run in [each for each in customer.runs.values() if each.campaign == campaign.key]:
        old = versions.get((run.campaign, run.version))
        if old is not None and run.inside and run.version < campaign.version:
            effects += move(run, old, campaign, customer, around)
    return effects


def _missed(customer: Customer, missed: Missed, around: Circumstances) -> Decision:
    return Decision(
        profile_id=customer.profile_id,
        campaign=missed.campaign.key,
        version=missed.campaign.version,
        occurrence=MISSED,
        at=around.now,
        entered=False,
        reason="stale",
        why=missed.newest.why,
        times=missed.times,
    )


def _first(customer: Customer, campaign: Campaign, occurrence: Occurrence) -> bool:
    key = (campaign.key, occurrence.name)
    if key in customer.decided:
        return False
    customer.decided.add(key)
    return True
