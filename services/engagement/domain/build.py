"""From a posted spec to a campaign, or to everything that is wrong with it."""

from services.engagement.domain.acts import Known
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.conditions import Conditions
from services.engagement.domain.faults import Faults
from services.engagement.domain.match import Goal, Match
from services.engagement.domain.plan import Planner
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


def _goal(goal: GoalSpec, conditions: Conditions) -> Goal:
    match = conditions.match("/goal", goal.event, goal.where, "event", begun=False)
    return Goal(match, conditions.faults.duration("/goal/within", goal.within))


def _exit(ends: EventMatch, conditions: Conditions) -> Match:
    return conditions.match("/exit_on", ends.event, ends.where, "event", begun=True)
