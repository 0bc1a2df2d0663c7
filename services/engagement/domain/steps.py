"""What each kind of step does when a run comes to it."""

from typing import Any

from msgspec.structs import replace

from services.engagement.domain.chance import arm
from services.engagement.domain.coupons import Coupon, issue
from services.engagement.domain.customer import Waiting
from services.engagement.domain.journey import (
    CouponNode,
    IfNode,
    MessageNode,
    Node,
    Path,
    SplitNode,
    TagNode,
    WaitForNode,
    WaitNode,
    WebhookNode,
)
from services.engagement.domain.messaging import message
from services.engagement.domain.walk import TagSet, Walk, action_of, go, left, skip
from zhiyin.contracts.instants import Duration, rfc3339
from zhiyin.contracts.money import from_minor
from zhiyin.rules import Person


def take(walk: Walk, node: Node) -> None:
    match node:
        case CouponNode():
            _coupon(walk, node)
        case MessageNode():
            message(walk, node)
        case WebhookNode():
            _webhook(walk, node)
        case TagNode():
            _tag(walk, node)
        case WaitNode(length=length):
            _wait(walk, "time", length)
        case WaitForNode(timeout=timeout):
            _wait(walk, "event", timeout)
        case IfNode() | SplitNode():
            go(walk, _branch(walk, node))


def _tag(walk: Walk, node: TagNode) -> None:
    action = action_of(walk, node.path, "tag", "sent", data={"tag": node.tag})
    walk.effects += (action, TagSet(action, node.tag))
    go(walk, node.after)


def _wait(walk: Walk, on: str, length: Duration) -> None:
    walk.run = replace(walk.run, waiting=Waiting(on, walk.around.now + length))


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
