"""What a campaign brought, against those it left alone: read, compared, put into words."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.chance import arm
from services.engagement.domain.experiments import (
    EVERYTHING,
    EVERYTHING_WINDOW,
    Experiments,
    splits,
)
from services.engagement.domain.journey import SplitNode
from services.engagement.domain.lift import (
    FEWEST,
    LEVEL,
    TUNED_TO,
    Answer,
    Lift,
    Sample,
    of_means,
    of_shares,
)
from services.engagement.domain.profit import Profit, profit
from services.engagement.store import settings, subjects
from services.engagement.store.subjects import Group
from zhiyin.contracts.instants import DAY, Duration, Instant
from zhiyin.contracts.money import from_minor
from zhiyin.runtime.batch import Connection

View = dict[str, Any]
_NOBODY: Final = Group(True, 0, 0, 0, 0, 0.0, 0)
_METHOD: Final = (
    "Subjects are people from their first decision on, compared as they were assigned (whoever a "
    "cap or a used-up budget kept out is among the treated), once their window is over. "
    "`sequential` (mixture sequential probability ratio test, tuned to "
    f"{TUNED_TO} people) holds however often you look and decides `significant`; `fixed` (Newcombe "
    "and pooled z for conversion, Welch for revenue) only at one look at a time set beforehand. "
    f"Level {LEVEL}; nothing is said below {FEWEST} people a group."
)


class Money(Struct, frozen=True):
    """How amounts are shown."""

    currency: str

    def of(self, minor: float) -> str:
        return from_minor(round(minor), self.currency)


async def experiment(
    connection: Connection, campaign: Campaign, known: Experiments, now: Instant, currency: str
) -> View:
    """Of one campaign, with its splits."""
    by_goal = campaign.goal is not None
    found = await subjects.groups(connection, campaign.key, now, by_goal=by_goal)
    treated, control = _sorted_out(found)
    spent = await subjects.spent(connection, campaign.key, now)
    templates = {spec.key: spec for spec, _ in await settings.coupon_templates(connection)}
    given = {key: spec.cost for key, spec in templates.items() if spec.cost is not None}
    money = Money(currency)
    view = _comparison(treated, control, known.window(campaign), money)
    lift = of_means(_revenue(treated), _revenue(control))
    gained = profit(
        lift.difference * treated.people if control.people else None,
        spent.coupons,
        spent.messages,
        given,
        known.spec,
        currency,
    )
    return {
        "holdout": known.share(campaign),
        **view,
        **_profit_view(gained, known.spec.margin_rate, money),
        "splits": [
            await _split(connection, campaign, node, now, money) for node in splits(campaign)
        ],
        "method": _METHOD,
    }


async def everything(
    connection: Connection, known: Experiments, now: Instant, currency: str
) -> View:
    """All marketing against those it leaves alone."""
    found = await subjects.groups(connection, EVERYTHING, now, by_goal=False)
    treated, control = _sorted_out(found)
    view = _comparison(treated, control, EVERYTHING_WINDOW, Money(currency))
    return {"holdout": known.spec.global_holdout, **view, "method": _METHOD}


def _sorted_out(found: Sequence[Group]) -> tuple[Group, Group]:
    by = {group.treated: group for group in found}
    return by.get(True, _NOBODY), by.get(False, _NOBODY)


def _comparison(treated: Group, control: Group, window: Duration, money: Money) -> View:
    conversion = of_shares(_converted(treated), _converted(control))
    revenue = of_means(_revenue(treated), _revenue(control))
    base = control.converted / control.people if control.people else 0.0
    return {
        "window_days": round(window / DAY, 2),
        "treatment": _group_view(treated, money),
        "control": _group_view(control, money),
        "conversion": {
            **_lift_view(conversion, lambda share: round(share, 6)),
            "relative": round(conversion.difference / base, 6) if base else None,
        },
        "revenue_per_person": _lift_view(revenue, money.of),
        "incremental": {
            "conversions": round(conversion.difference * treated.people, 2),
            "revenue": money.of(revenue.difference * treated.people),
            "revenue_interval": None
            if revenue.sequential is None
            else [
                money.of(revenue.sequential.low * treated.people),
                money.of(revenue.sequential.high * treated.people),
            ],
        }
        if control.people and treated.people
        else None,
        "significant": conversion.significant or revenue.significant,
        "enough": conversion.sequential is not None or revenue.sequential is not None,
    }


def _group_view(group: Group, money: Money) -> View:
    people = group.people
    return {
        "people": people,
        "open": group.open,
        "converted": group.converted,
        "rate": round(group.converted / people, 6) if people else None,
        "orders": group.orders,
        "revenue": money.of(group.revenue),
        "revenue_per_person": money.of(group.revenue / people) if people else None,
    }


def _lift_view(lift: Lift, shown: Any) -> View:
    return {
        "difference": shown(lift.difference),
        "significant": lift.significant,
        "sequential": _answer_view(lift.sequential, shown),
        "fixed": _answer_view(lift.fixed, shown),
    }


def _answer_view(answer: Answer | None, shown: Any) -> View | None:
    if answer is None:
        return None
    interval = [shown(answer.low), shown(answer.high)]
    return {"p_value": round(answer.p_value, 6), "interval": interval}


def _profit_view(gained: Profit, margin_rate: float, money: Money) -> View:
    return {
        "coupon_cost": money.of(gained.coupon_cost),
        "message_cost": money.of(gained.message_cost),
        "margin_rate": margin_rate,
        "net_margin": None if gained.net is None else money.of(gained.net),
    }


async def _split(
    connection: Connection, campaign: Campaign, node: SplitNode, now: Instant, money: Money
) -> View:
    """Everybody treated, by the arm they fall into; each arm against the first, p values times the
    number of comparisons."""
    tallies = [[0, 0, 0, 0] for _ in node.weights]
    by_goal = campaign.goal is not None
    async for page in subjects.treated(connection, campaign.key, now, by_goal=by_goal):
        for one in page:
            tally = tallies[arm(campaign.key, node.path, one.profile_id, node.weights)]
            tally[0] += 1
            tally[1] += one.converted
            tally[2] += one.revenue
            tally[3] += one.revenue**2
    groups = [Group(True, t[0], t[1], 0, t[2], float(t[3]), 0) for t in tallies]
    return {
        "step": node.path,
        "arms": [
            {
                "weight": weight,
                "people": group.people,
                "converted": group.converted,
                "rate": round(group.converted / group.people, 6) if group.people else None,
                "revenue": money.of(group.revenue),
                "against_first": None
                if index == 0
                else _corrected(of_shares(_converted(group), _converted(groups[0])), len(groups)),
            }
            for index, (weight, group) in enumerate(zip(node.weights, groups, strict=True))
        ],
    }


def _corrected(lift: Lift, arms: int) -> View:
    """Bonferroni."""
    view = _lift_view(lift, lambda share: round(share, 6))
    for name in ("sequential", "fixed"):
        if view[name] is not None:
            view[name]["p_value"] = min(1.0, view[name]["p_value"] * (arms - 1))
    p_value = view["sequential"]["p_value"] if view["sequential"] is not None else 1.0
    return {**view, "significant": p_value <= LEVEL}


def _converted(group: Group) -> Sample:
    return Sample(group.people, group.converted, group.converted)


def _revenue(group: Group) -> Sample:
    return Sample(group.people, group.revenue, group.squares)
