"""The message step: is this person to be addressed now, on which channel, in what words?"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from services.engagement.domain.channels import (
    NEEDS_TEMPLATE_ID,
    Channel,
    Ranked,
    Unreachable,
    choose,
    ranked,
    template_refused,
)
from services.engagement.domain.complaints import open_complaint
from services.engagement.domain.holding import Hold, held_back, hold, waits
from services.engagement.domain.journey import MessageNode
from services.engagement.domain.pressure import Contact
from services.engagement.domain.templates import MessageTemplate, language_of_person
from services.engagement.domain.walk import Walk, action_of, go, skip
from services.engagement.domain.wording import worded
from zhiyin.contracts.campaigns import AUTO_CHANNEL
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts import profile_view

# Beside the best channel, those to try when it turns out that it cannot reach the person.
_FALLBACKS: Final = 2
_BY_CHANNEL: Final = ("channel", "subject", "text", "html", "template_id", "params", "page")


def message(walk: Walk, node: MessageNode) -> None:
    around, purpose = walk.around, walk.campaign.purpose
    template = around.templates.get(node.template)
    if template is None:
        skip(walk, node.path, "message", "no_template", f"{node.template} is gone", node.template)
        return go(walk, node.after)
    found = _channels(walk, node, template)
    if isinstance(found, Unreachable):
        skip(walk, node.path, "message", found.reason, found.detail, node.template)
        return go(walk, node.after)
    chosen = found[0].channel
    if purpose == "marketing" and open_complaint(walk.snapshot):
        skip(walk, node.path, "message", "open_complaint", "", node.template)
        return go(walk, node.after)
    if (held := hold(walk, chosen.name, at_best=node.best_hour)) is not None and waits(walk, held):
        return _defer(walk, node, chosen.name, held)
    if held is not None:
        skip(walk, node.path, "message", held.reason, held.detail, node.template)
    else:
        _send(walk, node, template, found)
    return go(walk, node.after)


def _channels(
    walk: Walk, node: MessageNode, template: MessageTemplate
) -> list[Ranked] | Unreachable:
    """The one that is named; or all that may be used and have words for it, best first."""
    channels, purpose = walk.around.channels, walk.campaign.purpose
    if node.channel == AUTO_CHANNEL:
        found = ranked(walk.snapshot, purpose, channels)
    else:
        named = choose(node.channel, walk.snapshot, purpose, channels)
        found = named if isinstance(named, Unreachable) else [Ranked(named, 0.0)]
    if isinstance(found, Unreachable):
        return found
    unfit = [_unfit(template, each.channel, walk.snapshot) for each in found]
    fit = [each for each, reason in zip(found, unfit, strict=True) if reason is None]
    return fit or next(reason for reason in unfit if reason is not None)


def _unfit(template: MessageTemplate, channel: Channel, snapshot: Snapshot) -> Unreachable | None:
    """Why this template cannot go to this person on this channel."""
    if channel.kind not in NEEDS_TEMPLATE_ID:
        return None
    language = language_of_person(snapshot) or template.language
    template_id = template.words_for(channel, language).template_id
    if not template_id:
        detail = f"{template.key} names no template_id for {channel.name}"
        return Unreachable("no_reachable_channel", detail)
    if template_refused(channel, snapshot, template_id):
        return Unreachable("consent", f"wechat.{template_id} refused")
    return None


def _send(
    walk: Walk, node: MessageNode, template: MessageTemplate, found: Sequence[Ranked]
) -> None:
    around, values = walk.around, values_of(walk)
    action = action_of(walk, node.path, "message", "decided", template=node.template)
    said, *others = (
        worded(
            template,
            each.channel,
            values,
            walk.campaign.purpose,
            around.links,
            action.action_id,
            around.now,
        )
        for each in found[: 1 + _FALLBACKS]
    )
    if said.error is not None:
        skip(walk, node.path, "message", "template_failed", said.error, node.template)
        return
    data: dict[str, Any] = {
        **said.data,
        "template": node.template,
        **{key: walk.run.context[key] for key in ("trigger", "coupon") if key in walk.run.context},
    }
    if said.missing:
        data["missing"] = list(said.missing)
    if others:
        data["fallback"] = [
            {name: each.data.get(name) for name in _BY_CHANNEL}
            for each in others
            if each.error is None
        ]
    why = dict(action.why)
    if node.channel == AUTO_CHANNEL:
        why["channels"] = [{"channel": each.channel.name, "score": each.score} for each in found]
    channel = found[0].channel.name
    walk.effects.append(replace(action, channel=channel, data=data, why=why))
    walk.effects.extend({link.code: link for one in (said, *others) for link in one.links}.values())
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
