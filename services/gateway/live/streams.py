"""What each live stream tells: of which topics, to whom, in which words, and who may choose what.

Phone and email are masked and names shown with the family name only, whatever the caller's scopes:
what is told to everybody at a desk cannot be on record person by person.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.gateway.domain.names import names_masked
from services.gateway.domain.scopes import CAMPAIGNS_READ, OPS_READ, SEGMENTS_READ
from zhiyin.contracts.actions import decode_action_decided
from zhiyin.contracts.events import PERSONAL_NAMESPACES, decode_event
from zhiyin.contracts.instants import SECOND, rfc3339
from zhiyin.contracts.segments import decode_segment_changed
from zhiyin.contracts.topics import ACTION_DECIDED, EVENTS, SEGMENT_CHANGED
from zhiyin.runtime.log import Record

Told = dict[str, Any]


class Stream(Struct, frozen=True):
    """`tell`: a record as it is told. `filters`: query parameter → what it means; what is told
    under that name must be one of the values given."""

    name: str
    topics: tuple[str, ...]
    scope: str
    summary: str
    tell: Callable[[Record], Told]
    filters: Mapping[str, str]
    example: Told


def _event(record: Record) -> Told:
    event = decode_event(record.value)
    return {
        "event_id": event.event_id,
        "type": event.type,
        "source": event.source,
        "occurred_at": event.occurred_at,
        "received_at": event.received_at,
        "import": event.imported,
        "customer": {
            namespace: _shown(namespace, value, event.masks)
            for namespace, value in event.customer.items()
        },
        "properties": names_masked(msgspec.json.decode(event.properties), ()),
    }


def _shown(namespace: str, value: str, masks: Mapping[str, str]) -> str:
    if namespace not in PERSONAL_NAMESPACES:
        return value
    return masks.get(namespace, "****")


def _move(record: Record) -> Told:
    move = decode_segment_changed(record.value)
    return {
        "profile_id": move.profile_id,
        "segment": move.segment,
        "change": move.change,
        "at": rfc3339(move.at),
        "decided_at": rfc3339(move.decided_at),
        "cause": move.cause,
        "rule_version": move.rule_version,
        "event_ids": list(move.event_ids),
        "delay_seconds": _seconds(move.decided_at - (move.received_at or move.at)),
    }


def _action(record: Record) -> Told:
    action = decode_action_decided(record.value)
    return {
        "action_id": action.action_id,
        "profile_id": action.profile_id,
        "campaign": action.campaign,
        "campaign_version": action.campaign_version,
        "occurrence": action.occurrence,
        "step": action.step,
        "kind": action.kind,
        "channel": action.channel,
        "purpose": action.purpose,
        "why": action.why,
        "at": rfc3339(action.at),
    }


def _seconds(micros: int) -> float:
    return round(max(micros, 0) / SECOND, 3)


STREAMS: Final = (
    Stream(
        name="events",
        topics=EVENTS,
        scope=OPS_READ,
        summary="Events as they are taken in: a debugger for storefronts",
        tell=_event,
        filters={
            "type": "event types",
            "source": "sources",
            "event_id": "event ids",
            "customer": "identifiers, as `member_id:M1001`",
        },
        example={"event_id": "tm-88231", "type": "purchase.completed", "source": "tmall-flagship"},
    ),
    Stream(
        name="segments",
        topics=(SEGMENT_CHANGED,),
        scope=SEGMENTS_READ,
        summary="Who enters and leaves segments",
        tell=_move,
        filters={
            "segment": "keys of segments",
            "profile_id": "profile ids",
            "change": "`entered` or `left`",
            "cause": "`event`, `time`, `backfill`, `rule`, `merge` or `erasure`",
        },
        example={"profile_id": "01975d3e…", "segment": "dormant-90d", "change": "entered"},
    ),
    Stream(
        name="actions",
        topics=(ACTION_DECIDED,),
        scope=CAMPAIGNS_READ,
        summary="What campaigns decide to do",
        tell=_action,
        filters={
            "campaign": "keys of campaigns",
            "profile_id": "profile ids",
            "kind": "kinds of steps",
            "channel": "channels",
        },
        example={"action_id": "…", "campaign": "win-back-90d", "kind": "message"},
    ),
)
