"""The journey's step machine: from where a run stands to where it waits next, or ends."""

from typing import Any

from msgspec.structs import replace

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.customer import HELD_BACK, Customer, Run, Waiting
from services.engagement.domain.ids import run_id
from services.engagement.domain.journey import (
    MessageNode,
    Path,
    WaitForNode,
    WaitNode,
    WaitUntilNode,
)
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
    if campaign.state != "live":  # paused, or its new version is not launched yet
        customer.keep(replace(run, state="held", waiting=None))
        return []
    if customer.snapshot is None:
        return leave(run, "unknown_person", campaign, customer, around)
    held_back = run.waiting is not None and run.waiting.on in HELD_BACK
    waited = run.waiting.on if run.waiting is not None and held_back else None
    run = replace(run, state="active", waiting=None)
    walk = Walk(run, campaign, customer, customer.snapshot, around, [], waited)
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
    if campaign.exit_on is not None and campaign.exit_on.holds(cause, run.context):
        return leave(run, "exit_on", campaign, customer, around)
    node = campaign.journey.nodes.get(run.step)
    waits = run.waiting is not None and run.waiting.on == "event"
    if waits and isinstance(node, WaitForNode) and node.match.holds(cause, run.context):
        return proceed(replace(run, step=node.then), campaign, customer, around)
    return []


def move(
    run: Run, old: Campaign, new: Campaign, customer: Customer, around: Circumstances
) -> list[Effect]:
    """Go on in a newer version, from the same place. Whoever stands at a step that is not there
    any more finishes on their own version: nobody is dropped half-way."""
    here, there = old.journey.nodes.get(run.step or ""), new.journey.nodes.get(run.step or "")
    if here is None or type(here) is not type(there):
        return []
    moved = replace(run, version=new.version)
    if not isinstance(here, MessageNode) or run.state == "held":
        customer.keep(moved)
        return []
    return [
        *_withdraw(run, "moved", "taken over by a newer version", old, customer, around),
        *proceed(moved, new, customer, around),
    ]


def _after_wait(campaign: Campaign, path: Path, waiting: Waiting) -> Path | None:
    match campaign.journey.nodes.get(path):
        case WaitNode(after=after) | WaitUntilNode(after=after):
            return after
        case WaitForNode(otherwise=otherwise):
            return otherwise
        case _:
            return path  # held back: the message itself is still to come


def leave(
    run: Run, reason: str, campaign: Campaign, customer: Customer, around: Circumstances
) -> list[Effect]:
    """End a run early. A message held back for the morning is then not sent after all."""
    customer.keep(left(run, reason))
    detail = "left before the message that was held back could go out"
    return _withdraw(run, reason, detail, campaign, customer, around)


def _withdraw(
    run: Run,
    reason: str,
    detail: str,
    campaign: Campaign,
    customer: Customer,
    around: Circumstances,
) -> list[Effect]:
    """Note that a message that was held back will not be sent as it was."""
    node = campaign.journey.nodes.get(run.step or "")
    held_back = run.waiting is not None and run.waiting.on in HELD_BACK
    if not held_back or not isinstance(node, MessageNode) or customer.snapshot is None:
        return []
    walk = Walk(run, campaign, customer, customer.snapshot, around, [])
    skip(walk, node.path, "message", reason, detail, node.template)
    return walk.effects
