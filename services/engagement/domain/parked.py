"""A stimulus in the form in which it waits for its person."""

import uuid
from typing import Final, TypeGuard

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.occurrence import Occurrence
from services.engagement.domain.respond import (
    Due,
    Happened,
    Moved,
    Resumed,
    Starts,
    Stimulus,
    event,
    needs_person,
)
from zhiyin.contracts.events import event_uid
from zhiyin.contracts.profiles import Cause

Waitable = Happened | Starts | Due | Resumed | Moved


class Packed(Struct, frozen=True):
    """`key` is the same however often one person hears of it."""

    key: str
    value: bytes


class _Event(Struct, frozen=True, tag="event"):
    cause: Cause


class _Start(Struct, frozen=True, tag="start"):
    campaign: str
    occurrence: Occurrence


class _Due(Struct, frozen=True, tag="due"):
    run_id: uuid.UUID


class _Resumed(Struct, frozen=True, tag="resumed"):
    campaign: str


class _Moved(Struct, frozen=True, tag="moved"):
    campaign: str


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Event | _Start | _Due | _Resumed | _Moved).decode


def waits(stimulus: Stimulus, *, walking: bool) -> TypeGuard[Waitable]:
    """Whether it takes the person to respond to it. `walking`: they are inside a campaign, which
    any event may move on."""
    return needs_person(stimulus) or (walking and isinstance(stimulus, Happened))


def pack(stimulus: Waitable) -> Packed:
    match stimulus:
        case Happened(cause=cause):
            uid = event_uid(cause.source, cause.event_id)
            return Packed(f"event:{uid}", _encode(_Event(cause)))
        case Starts(campaign=campaign, occurrence=occurrence):
            key = f"start:{campaign.key}:{occurrence.name}"
            return Packed(key, _encode(_Start(campaign.key, occurrence)))
        case Due(run_id=run_id):
            return Packed(f"due:{run_id}", _encode(_Due(run_id)))
        case Resumed(campaign=resumed):
            return Packed(f"resumed:{resumed}", _encode(_Resumed(resumed)))
        case Moved(campaign=taking):
            return Packed(f"moved:{taking.key}", _encode(_Moved(taking.key)))


def unpack(value: bytes, catalog: Catalog, *, outdated: bool) -> Stimulus | None:
    """The stimulus, for the campaigns as they are now; None if its campaign has ended since.
    `outdated`: the person did not come in time, which what is decided will say."""
    parked: _Event | _Start | _Due | _Resumed | _Moved = _decode(value)
    match parked:
        case _Event(cause=cause):
            happened = event(cause, catalog)
            starts = tuple(_start(each, outdated=outdated) for each in happened.starts)
            return Happened(cause, starts)
        case _Start(campaign=key, occurrence=occurrence):
            campaign = catalog.campaigns.get(key)
            if campaign is None or not catalog.asks(campaign):
                return None
            return _start(Starts(campaign, occurrence), outdated=outdated)
        case _Due(run_id=run_id):
            return Due(run_id)
        case _Resumed(campaign=key):
            return Resumed(key)
        case _Moved(campaign=key):
            newest = catalog.campaigns.get(key)
            return None if newest is None else Moved(newest)


def _start(starts: Starts, *, outdated: bool) -> Starts:
    return Starts(starts.campaign, replace(starts.occurrence, outdated=outdated))
