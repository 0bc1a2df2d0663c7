"""What each kind of step does when a run comes to it."""

from typing import Any

from msgspec.structs import replace

from services.engagement.domain.chance import arm
from services.engagement.domain.coupons import Coupon, issue
from services.engagement.domain.customer import Waiting
from services.engagement.domain.journey import (
    Act,
    CouponNode,
    IfNode,
    MessageNode,
    Node,
    Path,
    PointsNode,
    SplitNode,
    TagNode,
    TaskNode,
    WaitForNode,
    WaitNode,
    WaitUntilNode,
    WebhookNode,
)
from services.engagement.domain.messaging import message, values_of
from services.engagement.domain.walk import TagChange, Walk, action_of, go, left, skip
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.money import from_minor
from zhiyin.rules import Person


def take(walk: Walk, node: Node) -> None:
    now = walk.around.now
    match node:
        case WaitNode(length=length):
            _wait(walk, "time", now + length)
        case WaitUntilNode(until=until):
            _wait(walk, "time", until.next(now, walk.zone))
        case WaitForNode(timeout=timeout):
            _wait(walk, "event", now + timeout)
        case IfNode() | SplitNode():
            go(walk, _branch(walk, node))
        case _:
            _act(walk, node)


def _act(walk: Walk, node: Act) -> None:
    match node:
        case CouponNode():
            _coupon(walk, node)
        case MessageNode():
            message(walk, node)
        case WebhookNode():
            _webhook(walk, node)
        case PointsNode():
            _points(walk, node)
        case TagNode():
            _tag(walk, node)
        case TaskNode():
            _task(walk, node)


def _points(walk: Walk, node: PointsNode) -> None:
    """Said on `action.decided`, for whoever keeps the points; no balance is kept here."""
    data = {"points": node.amount, "reason": node.reason}
    walk.effects.append(action_of(walk, node.path, "points", "sent", data=data))
    go(walk, node.after)


def _tag(walk: Walk, node: TagNode) -> None:
    until = None if node.lasts is None else walk.around.now + node.lasts
    data: dict[str, Any] = {"tag": node.tag}
    if node.removes:
        data["removed"] = True
    if until is not None:
        data["until"] = rfc3339(until)
    action = action_of(walk, node.path, "tag", "sent", data=data)
    walk.effects += (action, TagChange(action, node.tag, node.removes, until))
    go(walk, node.after)


def _task(walk: Walk, node: TaskNode) -> None:
    """Handed over on `action.decided` and with the decision itself, under the action's id."""
    texts = node.texts.render(values_of(walk))
    if texts.error is not None:
        skip(walk, node.path, "task", "template_failed", texts.error, None)
        return go(walk, node.after)
    action = action_of(
        walk,
        node.path,
        "task",
        "sent",
        data={
            "title": texts.subject,
            "note": texts.text,
            "assignee": node.assignee,
            "team": node.team,
            "due_at": rfc3339(walk.around.now + node.due),
        },
    )
    walk.effects.append(action)
    # Templates and waits further on may speak of it.
    task = {"action_id": str(action.action_id), "title": texts.subject}
    walk.run = replace(walk.run, context={**walk.run.context, "task": task})
    return go(walk, node.after)


def _wait(walk: Walk, on: str, until: Instant) -> None:
    walk.run = replace(walk.run, waiting=Waiting(on, until))


def _branch(walk: Walk, node: IfNode | SplitNode) -> Path | None:
    match node:
        case IfNode():
            person = Person(walk.snapshot, walk.customer.segments)
            matches = node.rule.evaluate(person, walk.around.now).matches
            return node.then if matches else node.otherwise
        case SplitNode():
            return node.arms[arm(walk.campaign.key, node.path, walk.run.origin, node.weights)]


def _coupon(walk: Walk, node: CouponNode) -> None:
    around, customer = walk.around, walk.customer
    lacking = around.lacking(customer, node.template)
    if lacking is not None:
        # What follows would speak of a coupon that does not exist.
        skip(walk, node.path, "coupon", "budget", lacking, node.template)
        walk.run = left(walk.run, "budget")
        return
    template = around.coupon_templates[node.template]
    action = action_of(walk, node.path, "coupon", "sent", template=node.template)
    coupon = issue(
        template,
        around.code_of(action.action_id),
        customer.profile_id,
        walk.campaign.key,
        action.action_id,
        around.now,
    )
    shown = coupon_view(coupon, template.name, around.currency)
    around.take(customer, node.template)
    walk.effects += (replace(action, data={"coupon": shown}), coupon)
    walk.run = replace(walk.run, context={**walk.run.context, "coupon": shown})
    go(walk, node.after)


def coupon_view(coupon: Coupon, name: str, currency: str) -> dict[str, Any]:
    """A coupon as templates and receivers see it."""
    return {
        "code": coupon.code,
        "template": coupon.template,
        "name": name,
        "kind": coupon.kind,
        "value": from_minor(coupon.value, currency) if coupon.kind == "amount" else coupon.text,
        "minimum": from_minor(coupon.minimum, currency) if coupon.minimum else None,
        "expires_at": rfc3339(coupon.expires_at),
    }


def _webhook(walk: Walk, node: WebhookNode) -> None:
    channel = walk.around.channels.get(node.channel)
    if channel is None or channel.disabled:
        detail = "no such channel" if channel is None else f"disabled: {channel.disabled}"
        skip(walk, node.path, "webhook", "no_reachable_channel", f"{node.channel}: {detail}", None)
        return go(walk, node.after)
    data = {**walk.run.context, **node.data}
    walk.effects.append(
        action_of(walk, node.path, "webhook", "decided", channel=node.channel, data=data)
    )
    return go(walk, node.after)
