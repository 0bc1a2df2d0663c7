"""From a posted spec to a campaign, or to everything that is wrong with it."""

from collections.abc import Iterator

from services.engagement.domain.acts import Known
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.circles import circles
from services.engagement.domain.conditions import Conditions
from services.engagement.domain.faults import Fault, Faults
from services.engagement.domain.journey import Journey
from services.engagement.domain.match import Goal, Match
from services.engagement.domain.plan import Planner
from services.engagement.domain.reach import too_long, unreachable
from services.engagement.domain.references import segments_named, tags_named
from services.engagement.domain.starting import start_of
from zhiyin.contracts.campaigns import CampaignSpec, EventMatch, GoalSpec
from zhiyin.rules import Options


def build_campaign(
    spec: CampaignSpec, known: Known, options: Options, *, version: int, state: str
) -> Campaign:
    """Raises Faulty. What the spec refers to must be in `known`."""
    faults = Faults()
    conditions = Conditions(faults, options)
    start = start_of(spec.trigger, conditions)
    where = None if spec.where is None else conditions.rule("/where", spec.where)
    reentry = None if spec.reentry is None else faults.duration("/reentry", spec.reentry)
    ends = spec.exit_on
    exit_on = None if ends is None else _exit(ends, conditions)
    journey = Planner(conditions, known, ends).journey(spec.steps)
    goal = None if spec.goal is None else _goal(spec.goal, conditions)
    patience = faults.duration("/pressure/patience", spec.pressure.patience)
    if not known.anything:
        faults.found += _as_a_whole(spec, journey, known)
    faults.raise_if_any()
    if start is None:
        raise AssertionError("a trigger that could not be started was not refused")
    return Campaign(
        spec=spec,
        version=version,
        state=state,
        start=start,
        where=where,
        journey=journey,
        reentry=reentry,
        exit_on=exit_on,
        goal=goal,
        patience=patience,
    )


def _as_a_whole(spec: CampaignSpec, journey: Journey, known: Known) -> Iterator[Fault]:
    """What no step or trigger shows by itself."""
    for what, named, missing in (
        ("segment", segments_named(spec), known.missing_segments),
        ("tag", tags_named(spec), known.missing_tags),
    ):
        for each in named:
            if each.name in missing:
                message = f"there is no {what} {each.name!r}"
                yield Fault(each.pointer, "unknown_reference", message)
    yield from unreachable(spec)
    yield from too_long(journey)
    yield from circles(spec, known.campaigns)


def _goal(goal: GoalSpec, conditions: Conditions) -> Goal:
    match = conditions.match("/goal", goal.event, goal.where, "event", begun=False)
    return Goal(match, conditions.faults.duration("/goal/within", goal.within))


def _exit(ends: EventMatch, conditions: Conditions) -> Match:
    return conditions.match("/exit_on", ends.event, ends.where, "event", begun=True)
