"""What one life through a scenario adds to the tally."""

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from itertools import chain

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.coupons import Coupon, discount
from services.engagement.domain.customer import Action, Decision
from services.engagement.domain.simulation.relived import Relived
from services.engagement.domain.simulation.tally import CouponTally, Line, Tally, count
from zhiyin.contracts.buying import Order
from zhiyin.contracts.instants import Instant, moment

_SENT = frozenset({"decided", "sent"})


def add(tally: Tally, relived: Relived) -> None:
    scenario = relived.scenario
    tally.people += 1
    tally.events += sum(len(step.cause) for step in relived.life.steps)
    if scenario.segment is not None:
        _add_segment(tally, relived, scenario.segment)
    if scenario.campaign is None:
        return
    key = scenario.campaign.key
    decisions = [each for each in relived.customer.decisions if each.campaign == key]
    actions = [each for each in relived.actions if each.campaign == key]
    coupons = [each for each in relived.coupons if each.campaign == key]
    _add_decisions(tally, decisions, scenario.zone)
    _add_actions(tally, actions, scenario.zone)
    _add_coupons(tally, coupons, relived)
    _add_goal(tally, decisions, relived, scenario.campaign)
    for action in relived.actions:
        if action.campaign != key and action.kind == "message" and action.state in _SENT:
            count(tally.others, action.campaign)
    if decisions or actions:
        lines = chain(map(_decided, decisions), map(_done, actions))
        tally.tell(relived.life.profile_id, sorted(lines, key=lambda line: line.at))


def _add_decisions(tally: Tally, decisions: Iterable[Decision], zone: tzinfo) -> None:
    entered = 0
    for decision in decisions:
        count(tally.decisions, decision.reason or "entered")
        if decision.entered:
            entered += 1
            count(tally.entered_days, _day(decision.at, zone))
    tally.entered_people += entered > 0


def _add_actions(tally: Tally, actions: Iterable[Action], zone: tzinfo) -> None:
    for action in actions:
        outcome = f"{action.kind} {action.state}"
        if action.reason is not None:
            outcome += f" {action.reason}"
        count(tally.actions.setdefault(action.step, {}), outcome)
        if action.kind != "message":
            continue
        if action.state in _SENT:
            count(tally.messages, action.channel or "")
            count(tally.message_days, _day(action.at, zone))
        elif action.state == "deferred":
            count(tally.deferred, action.reason or "")
        else:
            count(tally.held_back, action.reason or "")


def _add_coupons(tally: Tally, coupons: Iterable[Coupon], relived: Relived) -> None:
    """Each is taken to be used by the first order in its time that is large enough: what those
    orders, which were made anyway, would have cost. Orders told as one are not told apart."""
    free = sorted(_orders(relived), key=lambda order: order.at)
    for coupon in sorted(coupons, key=lambda each: each.issued_at):
        known = tally.coupons.setdefault(coupon.template, CouponTally())
        known.issued += 1
        relived.budgets.issued(coupon.template, coupon.profile_id, coupon.issued_at)
        order = next((each for each in free if _fits(coupon, each)), None)
        if order is not None:
            free.remove(order)
            known.used += 1
            known.discount += discount(coupon.kind, coupon.value, order.total)
    for other in relived.coupons:
        if relived.scenario.campaign and other.campaign != relived.scenario.campaign.key:
            relived.budgets.issued(other.template, other.profile_id, other.issued_at)


def _fits(coupon: Coupon, order: Order) -> bool:
    in_time = coupon.issued_at < order.at < coupon.expires_at
    return in_time and order.total >= coupon.minimum


def _orders(relived: Relived) -> Iterator[Order]:
    snapshot = relived.customer.snapshot
    if snapshot is not None:
        yield from (order for order in snapshot.facts.orders_kept.values() if order.counts)


def _add_goal(
    tally: Tally, decisions: Iterable[Decision], relived: Relived, campaign: Campaign
) -> None:
    goal = campaign.goal
    if goal is None:
        return
    reached = [
        cause.at for step in relived.life.steps for cause in step.cause if goal.match.holds(cause)
    ]
    for decision in decisions:
        if decision.entered:
            tally.measured += 1
            until = decision.at + goal.within
            tally.reached += any(decision.at <= at <= until for at in reached)


def _add_segment(tally: Tally, relived: Relived, segment: str) -> None:
    tally.members[0] += segment in relived.was_inside
    tally.members[1] += segment in relived.memberships.inside
    lines: list[Line] = []
    for crossed in relived.crossed:
        if crossed.segment == segment:
            day = tally.segment_days.setdefault(_day(crossed.at, relived.scenario.zone), [0, 0])
            day[0 if crossed.entered else 1] += 1
            lines.append(Line(crossed.at, "", "entered" if crossed.entered else "left", ""))
    tally.tell(relived.life.profile_id, lines)


def _decided(decision: Decision) -> Line:
    what = "entered" if decision.entered else f"not entered: {decision.reason}"
    return Line(decision.at, decision.campaign, what, str(decision.why.get("what", "")))


def _done(action: Action) -> Line:
    words = (action.kind, action.state, action.reason, action.channel, action.template)
    detail = str(action.why.get("detail", ""))
    return Line(action.at, action.campaign, " ".join(word for word in words if word), detail)


def _day(at: Instant, zone: tzinfo) -> str:
    return moment(at).astimezone(zone).date().isoformat()
