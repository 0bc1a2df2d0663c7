"""How campaigns, actions, coupons and channels look in answers: times RFC 3339, money in text."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from services.engagement.channel_settings import SECRETS
from services.engagement.domain.tasks import overdue
from services.engagement.store import reports
from services.engagement.store.coupon_costs import CouponCost
from services.engagement.store.coupons import StoredCoupon
from services.engagement.store.inbox import Letter
from services.engagement.store.redemptions import Redemption
from services.engagement.store.settings import StateChange, StoredCampaign, StoredChannel
from services.engagement.store.tasks import Task
from zhiyin.contracts.coupons import CouponTemplateSpec
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.money import from_minor, to_minor

View = dict[str, Any]


def campaign_view(campaign: StoredCampaign, history: Sequence[StateChange] | None = None) -> View:
    view: View = {
        **msgspec.to_builtins(campaign.spec),
        "version": campaign.version,
        "state": campaign.state,
        "created_at": rfc3339(campaign.created_at),
        "updated_at": rfc3339(campaign.updated_at),
    }
    if history is not None:
        view["history"] = [
            {
                "state": change.state,
                "version": change.version,
                "at": rfc3339(change.at),
                "by": change.actor,
            }
            for change in history
        ]
    return view


def report_view(
    campaign: StoredCampaign,
    decisions: Sequence[reports.Outcome],
    actions: Sequence[reports.ActionCount],
    runs: Sequence[reports.RunCount],
    coupons: reports.CouponCount,
    currency: str,
) -> View:
    entered = [each for each in decisions if each.entered]
    held_out = [each for each in decisions if each.reason == "holdout"]
    goal = campaign.spec.goal
    return {
        "campaign": campaign.spec.key,
        "version": campaign.version,
        "state": campaign.state,
        "decisions": [
            {
                "outcome": "entered" if each.entered else "refused",
                "reason": each.reason,
                "count": each.count,
            }
            for each in decisions
        ],
        "actions": msgspec.to_builtins(actions),
        "runs": msgspec.to_builtins(runs),
        "goal": None
        if goal is None
        else {"event": goal.event, "within": goal.within, **_goals("", entered)}
        | _goals("holdout_", held_out),
        "coupons": {
            "issued": coupons.issued,
            "redeemed": coupons.redeemed,
            "discount": from_minor(coupons.discount, currency),
        },
    }


def _goals(prefix: str, outcomes: Sequence[reports.Outcome]) -> View:
    measured = sum(each.measured for each in outcomes)
    reached = sum(each.goals for each in outcomes)
    return {
        f"{prefix}measured": measured,
        f"{prefix}reached": reached,
        f"{prefix}rate": round(reached / measured, 6) if measured else None,
    }


def item_view(item: reports.Item) -> View:
    return {
        **msgspec.to_builtins(item),
        "at": rfc3339(item.at),
        "due_at": _at(item.due_at),
        "sent_at": _at(item.sent_at),
    }


def coupon_view(coupon: StoredCoupon, now: Instant, currency: str) -> View:
    standing = coupon.standing
    return {
        "code": coupon.code,
        "template": coupon.template,
        "profile_id": coupon.profile_id,
        "campaign": coupon.campaign or None,
        "kind": coupon.kind,
        "value": _value(coupon, currency),
        "minimum": from_minor(coupon.minimum, currency) if coupon.minimum else None,
        "status": _status(coupon, standing, now),
        "issued_at": rfc3339(coupon.issued_at),
        "expires_at": rfc3339(coupon.expires_at),
        "revoked_at": _at(coupon.revoked_at),
        "redemption": None if standing is None else _redemption(standing, currency),
    }


def redemption_view(coupon: StoredCoupon, used: Redemption, currency: str) -> View:
    return {
        "code": coupon.code,
        "template": coupon.template,
        "kind": coupon.kind,
        "value": _value(coupon, currency),
        "status": "redeemed" if used.reversed_at is None else "reversed",
        **_redemption(used, currency),
        "reversed_at": _at(used.reversed_at),
    }


def coupon_template_view(spec: CouponTemplateSpec, issued: int) -> View:
    remaining = None if spec.budget is None else spec.budget - issued
    return {**msgspec.to_builtins(spec), "issued": issued, "remaining": remaining}


def coupon_cost_view(
    found: CouponCost, cost_each: Mapping[str, Decimal | None], currency: str
) -> View:
    """`cost`: the discount, and what was given with coupons of this template."""
    given = (cost_each.get(found.template) or Decimal(0)) * found.redeemed
    cost = found.discount + to_minor(given, currency)
    return {
        "campaign": found.campaign or None,
        "template": found.template,
        "issued": found.issued,
        "redeemed": found.redeemed,
        "reversed": found.reversed,
        "revoked": found.revoked,
        "expired": found.expired,
        "discount": from_minor(found.discount, currency),
        "cost": from_minor(cost, currency),
        "revenue": from_minor(found.revenue, currency),
        "conflicts": found.conflicts,
        "conflict_discount": from_minor(found.conflict_discount, currency),
    }


def channel_view(channel: StoredChannel, config: View) -> View:
    shown = {name: value for name, value in config.items() if name not in SECRETS}
    return {
        "name": channel.name,
        "kind": channel.kind,
        "config": shown,
        "secrets_set": sorted(name for name in SECRETS if config.get(name)),
        "disabled": channel.disabled,
        "updated_at": rfc3339(channel.at),
    }


def task_view(task: Task, now: Instant) -> View:
    return {
        **msgspec.to_builtins(task),
        "at": rfc3339(task.at),
        "due_at": rfc3339(task.due_at),
        "done_at": _at(task.done_at),
        "overdue": overdue(task.state, task.due_at, now),
        "log": [{**msgspec.to_builtins(each), "at": rfc3339(each.at)} for each in task.log],
    }


def letter_view(letter: Letter) -> View:
    """A message as it lies in an inbox."""
    said = letter.data
    return {
        "id": letter.action_id,
        "campaign": letter.campaign,
        "subject": said.get("subject", ""),
        "text": said.get("text", ""),
        "page": said.get("page") or None,
        "coupon": said.get("coupon"),
        "at": rfc3339(letter.at),
        "expires_at": rfc3339(letter.expires_at),
        "read_at": _at(letter.read_at),
        "clicked_at": _at(letter.clicked_at),
    }


def _redemption(used: Redemption, currency: str) -> View:
    return {
        "order_id": used.order_id,
        "store_id": used.store_id,
        "amount": from_minor(used.amount, currency),
        "discount": from_minor(used.discount, currency),
        "refunded": from_minor(used.refunded, currency),
        "returned": from_minor(used.returned, currency),
        "redeemed_at": rfc3339(used.at),
    }


def _value(coupon: StoredCoupon, currency: str) -> str:
    return from_minor(coupon.value, currency) if coupon.kind == "amount" else coupon.text


def _status(coupon: StoredCoupon, standing: Redemption | None, now: Instant) -> str:
    if standing is not None:
        return "redeemed"
    if coupon.revoked_at is not None:
        return "revoked"
    return "expired" if now >= coupon.expires_at else "issued"


def _at(at: Instant | None) -> str | None:
    return None if at is None else rfc3339(at)
