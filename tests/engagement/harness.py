"""Engagement on a real PostgreSQL, without the event log: batches go straight in."""

import itertools
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from services.engagement.cashier import Cashier
from services.engagement.catalogs import Catalogs
from services.engagement.claims import Claims
from services.engagement.dating import DATE_TIMER
from services.engagement.deliverer import Deliverer
from services.engagement.domain.codes import coupon_code
from services.engagement.domain.links import LinkKey
from services.engagement.editor import Editor
from services.engagement.expiring import COUPON_TIMER, Expiring
from services.engagement.gather import Gatherer
from services.engagement.handover import Handover
from services.engagement.launching import JOB_TIMER, Launching
from services.engagement.lookups import Lookups
from services.engagement.main import MIGRATIONS
from services.engagement.naming import Unknown
from services.engagement.pipeline import Pipeline
from services.engagement.reordering import REORDER_TIMER
from services.engagement.run_timers import RUN_TIMER
from services.engagement.sealing import Sealer, derived_key
from services.engagement.seeding import seed
from services.engagement.senders.access_tokens import AccessTokens
from services.engagement.senders.addresses import AddressUnavailable
from services.engagement.senders.all_kinds import senders
from services.engagement.senders.outbound import Outbound
from services.engagement.senders.parcel import Sender
from services.engagement.senders.places import Places
from services.engagement.settings_editor import SettingsEditor
from services.engagement.stock import STOCK_TIMER, tell_savers
from services.engagement.store import reports
from services.engagement.store.parked import PARKED_TIMER
from services.engagement.taskboard import Taskboard
from services.engagement.telling import Teller
from services.engagement.ticking import TICK_TIMER, Ticking
from services.engagement.timing import Timing
from tests.people import snapshot_of
from zhiyin.contracts.actions import ActionDecided, decode_action_decided
from zhiyin.contracts.campaigns import CampaignSpec, MessageTemplateSpec
from zhiyin.contracts.events import Event, decode_event
from zhiyin.contracts.instants import SECOND, Instant, instant
from zhiyin.contracts.profiles import Cause, ProfileChanged, Snapshot, encode
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.contracts.surveys import SurveySpec
from zhiyin.contracts.topics import ACTION_DECIDED, PROFILE_CHANGED, SEGMENT_CHANGED
from zhiyin.rules import Options
from zhiyin.runtime.batch import Fire, Outcome, Outgoing, Timer
from zhiyin.runtime.db import Database
from zhiyin.runtime.http import http_client
from zhiyin.runtime.log import Message, Position, Record, partition_of
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.telemetry import Telemetry

PARTITIONS = 4
SECRET = "a secret for tests only"
PUBLIC = "https://zhiyin.example"
# 2026-03-02T04:00:00Z, noon in Shanghai: outside of quiet hours.
NOON: Instant = instant(datetime.fromisoformat("2026-03-02T04:00:00+00:00"))
NIGHT: Instant = NOON + 10 * 3600 * SECOND
_offsets = itertools.count()
_versions = itertools.count(1)


def cause_of(event: Event) -> Cause:
    at = instant(event.occurred_at)
    packed = msgspec.msgpack.encode(msgspec.json.decode(event.properties))
    return Cause(
        event.event_id, event.type, event.source, at, at, event.imported, msgspec.Raw(packed)
    )


def a_change(
    events: Sequence[Event] = (),
    *,
    profile_id: str = "p-1",
    causes: Iterable[Event] | None = None,
    version: int | None = None,
    changed: Iterable[str] = ("orders", "reorder"),
    message_id: str | None = None,
    merged_into: str | None = None,
    merged_from: Iterable[str] = (),
    erased: bool = False,
    tags_added: Iterable[str] = (),
    parted_from: Mapping[str, int] | None = None,
    **rest: Any,
) -> ProfileChanged:
    """A person's change: `events` are all of theirs, `causes` those of this batch (the last)."""
    number = next(_versions) if version is None else version
    snapshot = replace(
        snapshot_of(events, **rest),
        profile_id=profile_id,
        version=number,
        merged_from=tuple(merged_from),
    )
    newest = list(events)[-1:] if causes is None else list(causes)
    return ProfileChanged(
        message_id=message_id or str(uuid.uuid4()),
        at=max((instant(event.occurred_at) for event in newest), default=NOON),
        snapshot=snapshot,
        changed=tuple(changed),
        tags_added=tuple(tags_added),
        cause=tuple(map(cause_of, newest)),
        merged_into=merged_into,
        erased=erased,
        parted_from=dict(parted_from or {}),
    )


def a_crossing(
    segment: str = "dormant-90d",
    change: str = "entered",
    *,
    profile_id: str = "p-1",
    at: Instant = NOON,
    version: int = 0,
    cause: str = "time",
    imported: bool = False,
) -> SegmentChanged:
    return msgspec.convert(
        {
            "message_id": str(uuid.uuid4()),
            "profile_id": profile_id,
            "segment": segment,
            "change": change,
            "at": at,
            "decided_at": at,
            "cause": cause,
            "rule_version": 1,
            "profile_version": version,
            "imported": imported,
        },
        SegmentChanged,
    )


def record_of(message: ProfileChanged | SegmentChanged) -> Record:
    if isinstance(message, ProfileChanged):
        topic, key = PROFILE_CHANGED, message.snapshot.profile_id
    else:
        topic, key = SEGMENT_CHANGED, message.profile_id
    partition = partition_of(key, PARTITIONS)
    return Record(topic, partition, next(_offsets), key, encode(message), (), 0)


@dataclass
class Told:
    """Stands for the event log: what was appended, each event once, as the profile service would
    count it."""

    events: dict[str, Event] = field(default_factory=dict)

    async def append(self, messages: Sequence[Message]) -> list[Position]:
        for message in messages:
            event = decode_event(message.value)
            self.events.setdefault(event.event_id, event)
        return [Position(message.topic, 0, 0) for message in messages]

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        """(type, properties) of each, in order."""
        return [(e.type, msgspec.json.decode(e.properties)) for e in self.events.values()]


@dataclass
class Addresses:
    """Stands for the gateway's vault."""

    known: dict[str, str] = field(default_factory=dict)
    away: int = 0
    asked: list[str] = field(default_factory=list)

    async def reveal(self, namespace: str, token: str, action_id: str) -> str | None:
        self.asked.append(action_id)
        if self.away:
            self.away -= 1
            raise AddressUnavailable("away")
        return self.known.get(token)


@dataclass
class SomeNames:
    """Everything is known but these."""

    segments: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    async def unknown(self, segments: Collection[str], tags: Collection[str]) -> Unknown:
        return Unknown(self.segments & set(segments), self.tags & set(tags))


@dataclass(eq=False)
class Instance:
    """One process of the service as far as its store and its senders are concerned. `now` is its
    clock."""

    db: Database
    client: httpx.AsyncClient
    now: Instant = NOON
    outgoing: list[Outgoing] = field(default_factory=list)
    told: Told = field(default_factory=Told)

    def __post_init__(self) -> None:
        self.options = Options()
        self.sealer = Sealer(derived_key(SECRET, "channels"))
        self.catalogs = Catalogs(self.options, self.sealer)
        self.telemetry = Telemetry("engagement", "test")
        self.names = SomeNames()
        self.places = Places(["127.0.0.1"])
        self.addresses = Addresses()
        self.teller = Teller(self.told)
        self.senders: dict[str, Sender] = senders(
            self.db,
            Outbound(self.client, self.places),
            self.addresses,
            AccessTokens(self.db, self.sealer, self.clock),
            self.clock,
        )
        self.deliverer = Deliverer(
            self.db,
            self.catalogs,
            Handover(self.db, self.senders, self.teller, self.clock, self.telemetry),
            lambda: range(PARTITIONS),
            self.clock,
        )
        self.links = LinkKey(PUBLIC, derived_key(SECRET, "links"))
        gatherer = Gatherer(self.catalogs, derived_key(SECRET, "coupons"), "CNY", self.links)
        self.pipeline = Pipeline(
            self.catalogs, gatherer, PARTITIONS, self.clock, self.telemetry, self.deliverer.wake
        )
        timing = Timing(self.pipeline)
        self.fire: dict[str, Fire] = {
            RUN_TIMER: timing.runs,
            REORDER_TIMER: timing.reorders,
            DATE_TIMER: timing.dates,
            PARKED_TIMER: timing.parked,
            JOB_TIMER: Launching(self.pipeline).jobs,
            STOCK_TIMER: tell_savers,
            COUPON_TIMER: Expiring("CNY").coupons,
            TICK_TIMER: Ticking(self.pipeline).ticks,
        }
        self.editor = Editor(self.db, self.options, PARTITIONS, self.clock, self.names)
        self.settings = SettingsEditor(self.db, self.sealer, self.places, "CNY", self.clock)
        self.taskboard = Taskboard(self.db, self.teller, self.clock)
        self.cashier = Cashier(self.db, "CNY", self.clock)
        secret = derived_key(SECRET, "coupons")
        self.claims = Claims(self.db, lambda id_: coupon_code(secret, id_), "CNY", self.clock)
        self.lookups = Lookups(self.db, self.clock)

    def clock(self) -> Instant:
        return self.now

    async def deliver(self, *messages: ProfileChanged | SegmentChanged) -> Outcome:
        """Apply these as one batch."""
        return await self.apply([record_of(each) for each in messages])

    async def apply(self, records: Sequence[Record]) -> Outcome:
        async with self.db.transaction() as tx:
            outcome = await self.pipeline.apply(tx, records)
        await self._committed(outcome)
        return outcome

    async def die_delivering(self, *messages: ProfileChanged | SegmentChanged) -> None:
        """Apply these as one batch, and never commit it."""
        async with self.db.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await self.pipeline.apply(connection, [record_of(each) for each in messages])
            await transaction.rollback()

    async def fire_due(self, now: Instant) -> int:
        """Set the clock to `now` and fire what is due by it, until nothing is."""
        self.now = now
        fired = 0
        while due := await self._fire_once(now):
            fired += due
        return fired

    async def _fire_once(self, now: Instant) -> int:
        outcomes: list[Outcome] = []
        async with self.db.transaction() as tx:
            rows = await tx.fetch(
                """DELETE FROM timer WHERE due_at <= to_timestamp($1::float8 / 1000000)
                   RETURNING key, partition, (extract(epoch FROM due_at) * 1000000)::bigint,
                     profile_id, kind, payload""",
                now,
            )
            kinds: defaultdict[str, list[Timer]] = defaultdict(list)
            for row in rows:
                kinds[row[4]].append(Timer(*row))
            for kind, timers in kinds.items():
                outcomes.append(await self.fire[kind](tx, timers, now))
        for outcome in outcomes:
            await self._committed(outcome)
        return len(rows)

    async def _committed(self, outcome: Outcome) -> None:
        self.outgoing += outcome.outgoing
        await outcome.after_commit()

    @property
    def decided(self) -> list[ActionDecided]:
        return [
            decode_action_decided(each.message.value)
            for each in self.outgoing
            if each.message.topic == ACTION_DECIDED
        ]

    async def history(self, profile_id: str = "p-1") -> list[reports.Item]:
        """What was done for a person and what was not, oldest first."""
        async with self.db.connection() as connection:
            return (await reports.of_person(connection, profile_id, None, 500))[::-1]

    async def outcomes(self, profile_id: str = "p-1") -> list[tuple[str, str, str | None]]:
        """(kind, state, reason) of the same."""
        return sorted(
            (item.kind, item.state, item.reason) for item in await self.history(profile_id)
        )

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        async with self.db.connection() as connection:
            return list(await connection.fetch(query, *arguments))

    async def launch(self, spec: Mapping[str, Any], **options: Any) -> None:
        campaign = msgspec.convert({"holdout": 0, **spec}, CampaignSpec)
        await self.editor.create(campaign, "test")
        await self.editor.move(campaign.key, "launch", "test", **options)

    async def put_template(self, key: str, spec: Mapping[str, Any]) -> None:
        await self.settings.put_template(key, msgspec.convert(spec, MessageTemplateSpec))

    async def put_survey(self, key: str, spec: Mapping[str, Any]) -> None:
        await self.settings.put_survey(key, msgspec.convert(spec, SurveySpec))

    async def end_built_in(self) -> None:
        for key in ("win-back-90d", "reorder-reminder", "welcome-first-order", "complaint-care"):
            await self.editor.move(key, "end", "test")


@asynccontextmanager
async def an_instance(postgres: str) -> AsyncIterator[Instance]:
    db = Database(postgres, "engagement", role_of("engagement"))
    await db.open()
    client = http_client(timeout=1.0, connections=None)
    try:
        yield Instance(db, client)
    finally:
        await client.aclose()
        await db.close()


async def migrated(postgres: str) -> str:
    await migrate(postgres, "engagement", MIGRATIONS)
    async with an_instance(postgres) as one:
        await seed(one.db, one.sealer, NOON)
    return postgres


def reachable(**rest: Any) -> dict[str, dict[str, str]]:
    """Identifiers of somebody whom sms and inbox reach."""
    return {"member_id": {"M1": ""}, "phone": {"ph_token": "138****1111"}, **rest}


def somebody(**rest: Any) -> Snapshot:
    return snapshot_of(identifiers=reachable(), **rest)
