"""Writes down what was decided, in the transaction that decided it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from services.engagement.domain.coupons import Coupon
from services.engagement.domain.customer import Action, Run
from services.engagement.domain.links import Link
from services.engagement.domain.walk import Effect, TagChange
from services.engagement.expiring import reminder
from services.engagement.gather import Gathered
from services.engagement.own_events import own_event
from services.engagement.run_timers import run_timer
from services.engagement.store import coupons, ledger, links, runs, subjects, tasks
from zhiyin.contracts.actions import ActionDecided
from zhiyin.contracts.instants import Instant, instant, moment
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.properties.customer import CustomerTagged, CustomerUntagged
from zhiyin.contracts.topics import ACTION_DECIDED
from zhiyin.runtime.batch import Connection, Outgoing
from zhiyin.runtime.log import Message
from zhiyin.runtime.telemetry import inject
from zhiyin.runtime.timers import clear_timers, set_timers

_pack = msgspec.msgpack.Encoder(order="deterministic").encode


async def carry_out(
    tx: Connection, gathered: Gathered, effects: Iterable[Effect]
) -> list[Outgoing]:
    """Save decisions, runs, timers, actions and coupons; returns what is to be published."""
    customers = list(gathered.customers.values())
    partitions = {customer.profile_id: customer.partition for customer in customers}
    actions, issued, tags, linked = _sorted_out(effects)
    await ledger.add_decisions(tx, [each for person in customers for each in person.decisions])
    await subjects.add(
        tx, [trial for person in customers for each in person.decisions for trial in each.trials]
    )
    changed = [person.runs[run_id] for person in customers for run_id in sorted(person.touched)]
    await runs.save(tx, changed)
    await _wind(tx, changed, gathered, partitions)
    new = await ledger.save_actions(tx, actions.values())
    await _issue(tx, [coupon for coupon in issued if coupon.action_id in new], partitions)
    await links.add(tx, [link for link in linked if link.action_id in new])
    decided = [action for action in actions.values() if action.action_id in new]
    await tasks.add(tx, [(each, _due(each)) for each in decided if each.kind == "task"])
    await ledger.queue(tx, [action for action in decided if action.state == "decided"], partitions)
    return [
        *(_told(a, partitions) for a in decided if a.state in ("decided", "sent")),
        *(_tagged(tag, partitions) for tag in tags if tag.action.action_id in new),
    ]


async def _issue(tx: Connection, issued: Sequence[Coupon], partitions: Mapping[str, int]) -> None:
    await coupons.issue(tx, issued)
    await set_timers(tx, [t for c in issued for t in reminder(c, partitions[c.profile_id])])


def _due(task: Action) -> Instant:
    return instant(datetime.fromisoformat(str(task.data["due_at"])))


async def _wind(
    tx: Connection, changed: Sequence[Run], gathered: Gathered, partitions: dict[str, int]
) -> None:
    wanted = [
        run_timer(run, run.waiting.until, partitions[run.profile_id])
        for run in changed
        if run.waiting is not None
    ]
    keys = {timer.key for timer in wanted}
    before = [gathered.before[run.run_id] for run in changed if run.run_id in gathered.before]
    over = {run_timer(run, run.waiting.until, 0).key for run in before if run.waiting is not None}
    await clear_timers(tx, sorted(over - keys))
    await set_timers(tx, wanted)


def _sorted_out(
    effects: Iterable[Effect],
) -> tuple[dict[uuid.UUID, Action], list[Coupon], list[TagChange], list[Link]]:
    actions: dict[uuid.UUID, Action] = {}
    issued: list[Coupon] = []
    tags: list[TagChange] = []
    linked: list[Link] = []
    for effect in effects:
        match effect:
            case Action():
                actions[effect.action_id] = effect
            case Coupon():
                issued.append(effect)
            case TagChange():
                tags.append(effect)
            case Link():
                linked.append(effect)
    return actions, issued, tags, linked


def _told(action: Action, partitions: dict[str, int]) -> Outgoing:
    decided = ActionDecided(
        action_id=str(action.action_id),
        profile_id=action.profile_id,
        campaign=action.campaign,
        campaign_version=action.version,
        occurrence=action.occurrence,
        step=action.step,
        kind=action.kind,
        channel=action.channel,
        purpose=action.purpose,
        why=str(action.why.get("occurrence", action.occurrence)),
        at=action.at,
        data=msgspec.Raw(_pack(action.data)),
    )
    return Outgoing(
        action.action_id,
        partitions[action.profile_id],
        Message(ACTION_DECIDED, action.profile_id, encode(decided), inject((), action.traceparent)),
    )


def _tagged(tag: TagChange, partitions: dict[str, int]) -> Outgoing:
    """Tags change as all others do: by an event that the profile service folds."""
    action, actor = tag.action, f"campaign:{tag.action.campaign}"
    until = None if tag.until is None else moment(tag.until)
    properties: CustomerTagged | CustomerUntagged = CustomerTagged(tag.tag, until, actor)
    if tag.removes:
        properties = CustomerUntagged(tag.tag, actor)
    return own_event(
        uuid.uuid5(action.action_id, "tagged"),
        str(properties.__struct_config__.tag),
        str(action.action_id),
        action.profile_id,
        partitions[action.profile_id],
        properties,
        action.at,
        action.traceparent,
    )
