"""Triggers: checked, and made into what begins a campaign."""

import re
from datetime import datetime, time, timedelta
from typing import Final

from services.engagement.domain.campaign import (
    BroadcastStart,
    EventStart,
    ReorderStart,
    ScheduleStart,
    Start,
)
from services.engagement.domain.conditions import Conditions
from services.engagement.domain.cron import cron
from services.engagement.domain.dates import DateStart, DaysOf, of_fact, of_festival
from services.engagement.domain.festivals import FESTIVALS
from zhiyin.contracts.campaigns import (
    BroadcastTrigger,
    DateTrigger,
    EventTrigger,
    ReorderDueTrigger,
    ScheduleTrigger,
    SegmentEnteredTrigger,
    SegmentLeftTrigger,
    TagAddedTrigger,
    TriggerSpec,
)
from zhiyin.contracts.instants import Instant, instant
from zhiyin.rules import day_reader, reads

_OFFSET: Final = re.compile(r"([+-]?)([0-9]{1,3})d")
_FARTHEST: Final = 180  # days; farther, and it would be nearer to another year's


def start_of(trigger: TriggerSpec, conditions: Conditions) -> Start | None:
    """None if it is faulty, which `conditions` has noted."""
    match trigger:
        case EventTrigger(type=type_, where=where, first=first):
            match_ = conditions.match("/trigger", type_, where, "type", begun=False)
            return EventStart(match_, first)
        case SegmentEnteredTrigger() | SegmentLeftTrigger() | TagAddedTrigger():
            return trigger
        case ReorderDueTrigger(lead=lead, substitutes=substitutes):
            length = conditions.faults.duration("/trigger/lead", lead)
            return ReorderStart(length, substitutes == "category")
        case DateTrigger():
            return _date(trigger, conditions)
        case ScheduleTrigger():
            return _schedule(trigger, conditions)
        case BroadcastTrigger(segment=segment, at=at):
            return BroadcastStart(segment, None if at is None else _instant(at, conditions))


def _schedule(trigger: ScheduleTrigger, conditions: Conditions) -> ScheduleStart | None:
    try:
        found = cron(trigger.cron, conditions.options.zone)
    except ValueError as error:
        conditions.faults.add("/trigger/cron", "bad_cron", str(error))
        return None
    return ScheduleStart(found, trigger.segment)


def _instant(text: str, conditions: Conditions) -> Instant:
    try:
        return instant(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        message = "must be RFC 3339 with offset, such as 2026-11-11T10:00:00+08:00"
        conditions.faults.add("/trigger/at", "bad_time", message)
        return 0


def _date(trigger: DateTrigger, conditions: Conditions) -> DateStart | None:
    faults = conditions.faults
    if (trigger.fact is None) == (trigger.festival is None):
        faults.add("/trigger", "one_day", "a date is either a fact's or a festival's")
        return None
    offset = _offset(trigger.offset, conditions)
    at = time.fromisoformat(trigger.at)
    if trigger.festival is not None:
        day_of = FESTIVALS.get(trigger.festival)
        _no_choice(trigger, conditions)
        if day_of is None:
            message = f"there is no festival {trigger.festival!r}, but {', '.join(FESTIVALS)}"
            faults.add("/trigger/festival", "unknown_festival", message)
            return None
        days = of_festival(trigger.festival, day_of)
        return DateStart(trigger.festival, days, offset, at, frozenset())
    return _of_fact(trigger, trigger.fact or "", offset, at, conditions)


def _of_fact(
    trigger: DateTrigger, path: str, offset: timedelta, at: time, conditions: Conditions
) -> DateStart | None:
    anniversary = conditions.anniversary("/trigger/fact", path)
    if anniversary is None:
        return None
    lunar, once = trigger.calendar == "lunar", trigger.repeat == "once"
    if lunar and once:
        message = "what comes once comes on the day it names"
        conditions.faults.add("/trigger/calendar", "not_allowed", message)
    read = day_reader(path, conditions.options)
    days: DaysOf = of_fact(path, read, lunar=lunar, once=once)
    return DateStart(path, days, offset, at, reads(anniversary))


def _no_choice(trigger: DateTrigger, conditions: Conditions) -> None:
    message = "a festival has its own calendar, and comes every year"
    if trigger.repeat != "yearly":
        conditions.faults.add("/trigger/repeat", "not_allowed", message)
    if trigger.calendar != "solar":
        conditions.faults.add("/trigger/calendar", "not_allowed", message)


def _offset(text: str, conditions: Conditions) -> timedelta:
    found = _OFFSET.fullmatch(text)
    days = 0 if found is None else int(f"{found[1]}{found[2]}")
    if found is None or abs(days) > _FARTHEST:
        message = f"{text!r} is no number of days from -{_FARTHEST}d to {_FARTHEST}d"
        conditions.faults.add("/trigger/offset", "bad_offset", message)
        return timedelta()
    return timedelta(days=days)
