"""Builders of snapshots and `profile.changed` messages, and of segment sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from services.segmentation.domain.arrival import Arrival
from services.segmentation.domain.segment_set import Definition, SegmentSet, build_set
from zhiyin.contracts.buying import Order, OrderTotals
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import (
    Attribute,
    Cause,
    Facts,
    Kept,
    ProfileChanged,
    Seen,
    Snapshot,
    Ticket,
    encode,
)
from zhiyin.rules import Options

NOW: Instant = 1_772_323_200_000_000  # 2026-03-01T00:00:00Z
NOTHING = msgspec.Raw(msgspec.msgpack.encode({}))


@dataclass(frozen=True)
class Happening:
    """An event of a person's life: a purchase (`total` in fen), a view, a move to a city."""

    kind: str
    at: Instant
    total: int = 10_000
    category: str = "坚果"
    city: str = "杭州"
    imported: bool = False

    @property
    def event_id(self) -> str:
        return f"{self.kind}-{self.at}"

    @property
    def type(self) -> str:
        return {
            "purchase": "purchase.completed",
            "view": "browse.viewed",
            "move": "customer.updated",
            "complaint": "support.opened",
        }[self.kind]

    @property
    def changed(self) -> tuple[str, ...]:
        names = {
            "purchase": ("orders", "reorder", f"categories.{self.category}"),
            "view": ("browse",),
            "move": ("attributes.city",),
            "complaint": ("support",),
        }[self.kind]
        return (*names, f"events.{self.type}", "profile")

    @property
    def cause(self) -> Cause:
        return Cause(self.event_id, self.type, "shop", self.at, self.at, self.imported, NOTHING)


@dataclass(frozen=True)
class Life:
    """A person and what has happened to them so far; the version counts it."""

    profile_id: str = "p-1"
    happenings: tuple[Happening, ...] = ()
    version: int = 0

    def then(self, *news: Happening) -> "Life":
        return replace(self, happenings=(*self.happenings, *news), version=self.version + 1)

    @property
    def snapshot(self) -> Snapshot:
        first = min((one.at for one in self.happenings), default=NOW)
        return Snapshot(self.profile_id, self.version, first, first, facts_of(self.happenings))

    def message(self, news: Sequence[Happening], **more: Any) -> ProfileChanged:
        return ProfileChanged(
            message_id=f"{self.profile_id}:{self.version}",
            at=max((one.at for one in news), default=NOW),
            snapshot=self.snapshot,
            changed=tuple(sorted({name for one in news for name in one.changed})),
            cause=tuple(one.cause for one in news),
            **more,
        )

    def arrival(self, *news: Happening, **more: Any) -> Arrival:
        message = self.message(news)
        return Arrival(
            0,
            message.at,
            self.snapshot,
            encode(self.snapshot),
            message.changed,
            cause=message.cause,
            **more,
        )


def facts_of(happenings: Sequence[Happening]) -> Facts:
    ordered = sorted(happenings, key=lambda one: (one.at, one.event_id))
    bought = [one for one in ordered if one.kind == "purchase"]
    moves = [one for one in ordered if one.kind == "move"]
    seen: dict[str, Seen] = {}
    kept: dict[str, tuple[Kept, ...]] = {}
    for one in ordered:
        old = seen.get(one.type, Seen(0, one.at, one.at))
        seen[one.type] = Seen(old.count + 1, old.first_at, one.at)
        family = one.type.partition(".")[0]
        properties = msgspec.msgpack.encode(
            {"category": one.category, "total": f"{one.total / 100:.2f}"}, order="deterministic"
        )
        event = Kept(one.at, one.event_id, one.type, "shop", msgspec.Raw(properties))
        kept[family] = (*kept.get(family, ()), event)
    return Facts(
        attributes={"city": Attribute(moves[-1].city, "shop", moves[-1].at, moves[-1].event_id)}
        if moves
        else {},
        orders=OrderTotals(
            len(bought), sum(one.total for one in bought), 0, bought[0].at, bought[-1].at
        )
        if bought
        else OrderTotals(),
        orders_kept={one.event_id: Order(one.at, one.event_id, one.total) for one in bought},
        tickets={
            one.event_id: Ticket("complaint", one.at) for one in ordered if one.kind == "complaint"
        },
        seen=seen,
        kept=kept,
        newest=max((one.at for one in ordered), default=0),
    )


def purchase(at: Instant, total: int = 10_000, **more: Any) -> Happening:
    return Happening("purchase", at, total, **more)


def view(at: Instant, category: str = "健身", **more: Any) -> Happening:
    return Happening("view", at, category=category, **more)


def move(at: Instant, city: str) -> Happening:
    return Happening("move", at, city=city)


def rules_of(
    rules: Mapping[str, Any], revision: int = 1, known: SegmentSet | None = None
) -> SegmentSet:
    """Segments of version 1, all of `revision`."""
    definitions = [Definition(key, 1, revision, rule) for key, rule in rules.items()]
    return build_set(revision, definitions, Options(), known or SegmentSet())


DORMANT = {"fact": "orders.last_at", "op": "older_than", "value": "90d"}
IN_HANGZHOU = {"fact": "attributes.city", "op": "eq", "value": "杭州"}
KEEN = {
    "count": {"event": "browse.viewed", "where": {"category": "健身"}, "within": "7d"},
    "op": "gte",
    "value": 3,
}
