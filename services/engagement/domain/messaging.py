"""The message step: is this person to be addressed now, on which channel, in what words?"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from services.engagement.domain.channels import Unreachable, choose
from services.engagement.domain.complaints import open_complaint
from services.engagement.domain.holding import Hold, held_back, hold, waits
from services.engagement.domain.journey import MessageNode
from services.engagement.domain.pressure import Contact
from services.engagement.domain.walk import Walk, action_of, go, skip
from zhiyin.facts import profile_view


def message(walk: Walk, node: MessageNode) -> None:
    around, purpose = walk.around, walk.campaign.purpose
    chosen = choose(node.channel, walk.snapshot, purpose, around.channels)
    if isinstance(chosen, Unreachable):
        skip(walk, node.path, "message", chosen.reason, chosen.detail, node.template)
        return go(walk, node.after)
    if purpose == "marketing" and open_complaint(walk.snapshot):
        skip(walk, node.path, "message", "open_complaint", "", node.template)
        return go(walk, node.after)
    if (held := hold(walk, chosen.name)) is not None and waits(walk, held):
        return _defer(walk, node, chosen.name, held)
    if held is not None:
        skip(walk, node.path, "message", held.reason, held.detail, node.template)
    else:
        _send(walk, node, chosen.name)
    return go(walk, node.after)


def _send(walk: Walk, node: MessageNode, channel: str) -> None:
    around = walk.around
    template = around.templates.get(node.template)
    if template is None:
        skip(walk, node.path, "message", "no_template", f"{node.template} is gone", node.template)
        return
    rendered = template.render(values_of(walk))
    if rendered.error is not None:
        skip(walk, node.path, "message", "template_failed", rendered.error, node.template)
        return
    data: dict[str, Any] = {
        "channel": channel,
        "template": node.template,
        "subject": rendered.subject,
        "text": rendered.text,
        **{key: walk.run.context[key] for key in ("trigger", "coupon") if key in walk.run.context},
    }
    if rendered.missing:
        data["missing"] = list(rendered.missing)
    walk.effects.append(
        action_of(
            walk,
            node.path,
            "message",
            "decided",
            channel=channel,
            template=node.template,
            data=data,
        )
    )
    walk.customer.contacts.append(Contact(around.now, channel, walk.campaign.purpose))


def values_of(walk: Walk) -> Mapping[str, Any]:
    """What a template may use."""
    profile = profile_view(
        walk.snapshot, walk.customer.segments, walk.around.now, currency=walk.around.currency
    )
    names = {"key": walk.campaign.key, "name": walk.campaign.spec.name}
    return {**walk.run.context, "profile": profile, "campaign": names}


def _defer(walk: Walk, node: MessageNode, channel: str, held: Hold) -> None:
    action = action_of(
        walk, node.path, "message", "deferred", channel=channel, template=node.template
    )
    walk.run = held_back(walk, held)
    why = {**action.why, "detail": held.detail}
    walk.effects.append(replace(action, reason=held.reason, due_at=held.until, why=why))
