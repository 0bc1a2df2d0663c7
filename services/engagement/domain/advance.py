"""The journey's step machine: from where a run stands to where it waits next, or ends."""

from typing import Any

from msgspec.structs import replace

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.customer import Customer, Run, Waiting
from services.engagement.domain.ids import run_id
from services.engagement.domain.journey import MessageNode, Path, WaitForNode, WaitNode
from services.engagement.domain.occurrence import Occurrence
from services.engagement.domain.steps import take
from services.engagement.domain.walk import BECAUSE, Effect, Walk, left, skip
from zhiyin.contracts.profiles import Cause


def enter(
    customer: Customer, campaign: Campaign, occurrence: Occurrence, around: Circumstances
) -> list[Effect]:
    """Begin the journey of somebody who was decided to enter."""
    run = Run(
        run_id=run_id(campaign.key, occurrence.name, customer.profile_id),
        profile_id=customer.profile_id,
        origin=customer.profile_id,
        campaign=campaign.key,
        version=campaign.version,
        occurrence=occurrence.name,
        entered_at=around.now,
        step=campaign.journey.first,
        context={"trigger": dict(occurrence.properties), **_because(occurrence)},
        traceparent=occurrence.traceparent,
    )
    customer.last_entry[campaign.key] = around.now
    return proceed(run, campaign, customer, around)


def _because(occurrence: Occurrence) -> dict[str, Any]:
    return {BECAUSE: dict(occurrence.because)} if occurrence.because else {}


def proceed(
    run: Run, campaign: Campaign, customer: Customer, around: Circumstances
) -> list[Effect]:
    """Walk on from `run.step` (whose wait, if any, is over) until the next wait or the end."""
    if campaign.state == "ended":
        return leave(run, "ended", campaign, customer, around)
    if campaign.state == "paused":
        customer.keep(replace(run, state="held", waiting=None))
        return []
    if customer.snapshot is None:
        return leave(run, "unknown_person", campaign, customer, around)
    run = replace(run, state="active", waiting=None)
    walk = Walk(run, campaign, customer, customer.snapshot, around, [])
    while walk.run.state == "active" and walk.run.waiting is None:
        if walk.run.step is None:
            walk.run = replace(walk.run, state="done")
            break
        take(walk, campaign.journey.nodes[walk.run.step])
    customer.keep(walk.run)
    return walk.effects


def due(run: Run, campaign: Campaign, customer: Customer, around: Circumstances) -> list[Effect]:
    """The instant a run waited for has come."""
    waiting, path = run.waiting, run.step
    if not run.inside or waiting is None or path is None or around.now < waiting.until:
        return []
    return proceed(
        replace(run, step=_after_wait(campaign, path, waiting)), campaign, customer, around
    )


def happened(
    run: Run, cause: Cause, campaign: Campaign, customer: Customer, around: Circumstances
) -> list[Effect]:
    """An event that came after entering: it may end the journey, or the wait for it."""
    if not run.inside or cause.at < run.entered_at or run.step is None:
        return []
    began_with = run.context.get("trigger")
    if campaign.exit_on is not None and campaign.exit_on.holds(cause, began_with):
        return leave(run, "exit_on", campaign, customer, around)
    node = campaign.journey.nodes.get(run.step)
    waits = run.waiting is not None and run.waiting.on == "event"
    if waits and isinstance(node, WaitForNode) and node.match.holds(cause, began_with):
        return proceed(replace(run, step=node.then), campaign, customer, around)
    return []


def _after_wait(campaign: Campaign, path: Path, waiting: Waiting) -> Path | None:
    match campaign.journey.nodes.get(path):
        case WaitNode(after=after):
            return after
        case WaitForNode(otherwise=otherwise):
            return otherwise
        case _:
            return path  # quiet hours: the message itself is still to come


def leave(
    run: Run, reason: str, campaign: Campaign, customer: Customer, around: Circumstances
) -> list[Effect]:
    """End a run early. A message held back for the morning is then not sent after all."""
    customer.keep(left(run, reason))
    if run.waiting is None or run.waiting.on != "quiet" or run.step is None:
        return []
    node = campaign.journey.nodes.get(run.step)
    if not isinstance(node, MessageNode) or customer.snapshot is None:
        return []
    walk = Walk(run, campaign, customer, customer.snapshot, around, [])
    skip(walk, node.path, "message", reason, "left before the quiet hours ended", node.template)
    return walk.effects
