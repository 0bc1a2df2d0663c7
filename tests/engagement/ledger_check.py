"""Was any promise broken? Plainly, from the ledger's rows and the events as posted: caps, quiet
hours, consent, open complaints, budgets, holdouts. Shares no code with what decided."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.engagement.harness import Instance
from zhiyin.contracts.events import Event

DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Shanghai")
# As delivered: three messages in seven days, one in one; nothing from 21:30 until 9:00.
CAPS = ((7 * DAY, 3), (DAY, 1))


class Message(NamedTuple):
    profile_id: str
    campaign: str
    purpose: str
    channel: str
    at: datetime


@dataclass
class Lives:
    """Of each person, when they answered what about being addressed, and complained."""

    consents: dict[str, list[tuple[datetime, str, bool]]] = field(default_factory=dict)
    complaints: dict[str, list[tuple[datetime, datetime | None]]] = field(default_factory=dict)


def lives_of(events: Iterable[Event]) -> Lives:
    consents: defaultdict[str, list[tuple[datetime, str, bool]]] = defaultdict(list)
    opened: dict[tuple[str, str], datetime] = {}
    complaints: defaultdict[str, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for event in events:
        who = f"p-{event.customer['member_id']}"
        said = json.loads(bytes(event.properties))
        at = event.occurred_at.astimezone(UTC)
        for purpose, granted in said.get("consents", {}).items():
            consents[who].append((at, purpose, granted))
        if event.type == "support.opened" and said.get("kind") == "complaint":
            opened[who, said["ticket_id"]] = at
        if event.type == "support.resolved" and (who, said["ticket_id"]) in opened:
            complaints[who].append((opened.pop((who, said["ticket_id"])), at))
    for (who, _), at in opened.items():
        complaints[who].append((at, None))
    return Lives(dict(consents), dict(complaints))


async def broken_promises(instance: Instance, lives: Lives) -> list[str]:
    rows = await instance.fetch(
        """SELECT profile_id, campaign, purpose, channel, at FROM action
           WHERE kind = 'message' AND state IN ('decided', 'sent') ORDER BY profile_id, at"""
    )
    messages = [
        Message(who, campaign, purpose, channel, _moment(at))
        for who, campaign, purpose, channel, at in rows
    ]
    by_person: defaultdict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_person[message.profile_id].append(message)
    found = [f"cap: {each}" for sent in by_person.values() for each in _over_cap(sent)]
    found += [f"quiet hours: {each}" for each in messages if _at_night(each)]
    found += [f"consent: {each}" for each in messages if _refused(each, lives.consents)]
    found += [f"complaint: {each}" for each in messages if _complaining(each, lives.complaints)]
    return [*found, *await _budgets(instance), *await _holdouts(instance)]


def _over_cap(sent: Sequence[Message]) -> list[Message]:
    marketing = [each for each in sent if each.purpose == "marketing"]
    return [
        each
        for place, each in enumerate(marketing)
        for length, most in CAPS
        if sum(each.at - other.at < length for other in marketing[: place + 1]) > most
    ]


def _at_night(message: Message) -> bool:
    clock = message.at.astimezone(ZONE)
    minute = clock.hour * 60 + clock.minute
    return message.purpose != "transactional" and not 9 * 60 <= minute < 21 * 60 + 30


def _refused(
    message: Message, consents: Mapping[str, Sequence[tuple[datetime, str, bool]]]
) -> bool:
    if message.purpose != "marketing":
        return False
    newest: dict[str, tuple[datetime, bool]] = {}
    for at, purpose, granted in consents.get(message.profile_id, ()):
        if at < message.at and (purpose not in newest or at >= newest[purpose][0]):
            newest[purpose] = (at, granted)
    asked = ("marketing", f"marketing.{message.channel}")
    return any(not newest[each][1] for each in asked if each in newest)


def _complaining(
    message: Message, complaints: Mapping[str, Sequence[tuple[datetime, datetime | None]]]
) -> bool:
    return message.purpose == "marketing" and any(
        opened < message.at and (resolved is None or message.at < resolved)
        for opened, resolved in complaints.get(message.profile_id, ())
    )


async def _budgets(instance: Instance) -> list[str]:
    specs = {row[0]: json.loads(row[1]) for row in await instance.fetch(_TEMPLATES)}
    issued = Counter(row[0] for row in await instance.fetch("SELECT template FROM coupon"))
    each: Counter[tuple[Any, ...]] = Counter(
        tuple(row) for row in await instance.fetch("SELECT template, profile_id FROM coupon")
    )
    return [
        *(
            f"budget: {key} {count}"
            for key, count in issued.items()
            if count > (specs[key].get("budget") or count)
        ),
        *(
            f"per person: {key} {who} {count}"
            for (key, who), count in each.items()
            if count > (specs[key].get("per_person") or count)
        ),
    ]


_TEMPLATES = "SELECT key, convert_from(spec, 'UTF8') FROM coupon_template"


async def _holdouts(instance: Instance) -> list[str]:
    rows = await instance.fetch(
        """SELECT DISTINCT profile_id, campaign FROM decision WHERE reason = 'holdout'
           INTERSECT SELECT profile_id, campaign FROM run"""
    )
    return [f"holdout: {row[0]} in {row[1]}" for row in rows]


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at)
