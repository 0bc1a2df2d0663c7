"""A snapshot from events, the plain way: for tests of what reads profiles, not of the fold."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec

from zhiyin.contracts.buying import CategoryTotals, Order, OrderTotals, SkuTotals
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import HOUR, Instant, instant
from zhiyin.contracts.money import to_minor
from zhiyin.contracts.profiles import Attribute, Consent, Facts, Kept, Seen, Snapshot, Tag, Ticket
from zhiyin.rules import Person

_encoder = msgspec.msgpack.Encoder(order="deterministic")
Told = tuple[Event, Instant, dict[str, Any]]


def snapshot_of(
    events: Iterable[Event] = (),
    *,
    tags: Mapping[str, Tag] | None = None,
    created_at: Instant = 0,
    **facts: Any,
) -> Snapshot:
    """The snapshot of one person with these events. `facts` replace what was folded."""
    folded = msgspec.structs.replace(facts_of(events), **facts)
    return Snapshot("p-1", 1, created_at, created_at, folded, dict(tags or {}))


def person_of(
    events: Iterable[Event] = (),
    *,
    segments: Iterable[str] = (),
    segment_flips: Mapping[str, Sequence[Instant]] | None = None,
    **rest: Any,
) -> Person:
    return Person(snapshot_of(events, **rest), frozenset(segments), segment_flips or {})


def facts_of(events: Iterable[Event]) -> Facts:
    unique = {(event.source, event.event_id): event for event in events}.values()
    told = sorted(
        ((e, instant(e.occurred_at), msgspec.json.decode(e.properties)) for e in unique),
        key=lambda each: (each[1], each[0].event_id),
    )
    orders = orders_of(told)
    counted = [order for order in orders.values() if order.counts]
    ats = [order.at for order in counted]
    return Facts(
        identifiers=_identifiers(told),
        attributes=_attributes(told),
        consents=_consents(told),
        orders=OrderTotals(
            len(counted),
            sum(order.net for order in counted),
            sum(order.refunded for order in counted),
            min(ats, default=None),
            max(ats, default=None),
        ),
        orders_kept=orders,
        categories=_categories(told, orders),
        skus=_skus(told, orders),
        tickets=_tickets(told),
        seen=_seen(told),
        kept=_kept(told),
        newest=max((at for _, at, _ in told), default=0),
    )


def orders_of(told: Sequence[Told]) -> dict[str, Order]:
    orders: dict[str, Order] = {}
    for event, at, given in told:
        if not event.type.startswith("purchase."):
            continue
        order = orders.get(given["order_id"], Order())
        match event.type:
            case "purchase.completed":
                change: dict[str, Any] = {
                    "at": at,
                    "event_id": event.event_id,
                    "total": to_minor(Decimal(str(given["total"]))),
                    "gift": given.get("gift", False),
                }
            case "purchase.refunded":
                refund = to_minor(Decimal(str(given["amount"])))
                change = {"refunded": order.refunded + refund}
            case _:
                change = {"cancelled": True}
        orders[given["order_id"]] = msgspec.structs.replace(order, **change)
    return orders


def _bought(told: Sequence[Told], orders: Mapping[str, Order]) -> Iterable[tuple[Order, Any]]:
    for event, _, given in told:
        if event.type == "purchase.completed" and orders[given["order_id"]].counts:
            for item in given.get("items", ()):
                yield orders[given["order_id"]], item


def _categories(told: Sequence[Told], orders: Mapping[str, Order]) -> dict[str, CategoryTotals]:
    lines: dict[str, list[tuple[Order, Any]]] = defaultdict(list)
    for order, item in _bought(told, orders):
        if item.get("category"):
            lines[item["category"]].append((order, item))
    return {
        name: CategoryTotals(
            orders=len({order.event_id for order, _ in each}),
            quantity=sum(item.get("quantity", 1) for _, item in each),
            total=sum(_amount(item) for _, item in each),
            last_at=max(order.at for order, _ in each),
        )
        for name, each in lines.items()
    }


def _amount(item: Mapping[str, Any]) -> int:
    return to_minor(Decimal(item.get("unit_price", "0")) * item.get("quantity", 1))


def _skus(told: Sequence[Told], orders: Mapping[str, Order]) -> dict[str, SkuTotals]:
    lines: dict[str, list[tuple[Instant, Any]]] = defaultdict(list)
    for order, item in _bought(told, orders):
        if not order.gift:
            lines[item["sku"]].append((order.at, item))
    found = {}
    for sku, each in lines.items():
        ats = [at for at, _ in each]
        last = each[-1][1]
        found[sku] = SkuTotals(
            category=last.get("category"),
            orders=len(each),
            quantity=sum(item.get("quantity", 1) for _, item in each),
            last_at=ats[-1],
            last_quantity=last.get("quantity", 1),
            pack_days=last.get("pack_days"),
            intervals=tuple((b - a) // HOUR for a, b in pairwise(ats))[-5:],
        )
    return found


def _tickets(told: Sequence[Told]) -> dict[str, Ticket]:
    tickets: dict[str, Ticket] = {}
    for event, at, given in told:
        match event.type:
            case "support.opened":
                change: dict[str, Any] = {"kind": given.get("kind", "question"), "opened_at": at}
            case "support.resolved":
                change = {"resolved_at": at}
            case "support.rated":
                change = {"score": given["score"], "scored_at": at}
            case _:
                continue
        ticket = tickets.get(given["ticket_id"], Ticket())
        tickets[given["ticket_id"]] = msgspec.structs.replace(ticket, **change)
    return tickets


def _seen(told: Sequence[Told]) -> dict[str, Seen]:
    ats: dict[str, list[Instant]] = defaultdict(list)
    for event, at, _ in told:
        ats[event.type].append(at)
    return {kind: Seen(len(each), each[0], each[-1]) for kind, each in ats.items()}


def _kept(told: Sequence[Told]) -> dict[str, tuple[Kept, ...]]:
    families: dict[str, list[Kept]] = defaultdict(list)
    for event, at, given in told:
        packed = msgspec.Raw(_encoder.encode(given))
        kept = Kept(at, event.event_id, event.type, event.source, packed)
        families[event.type.partition(".")[0]].append(kept)
    return {family: tuple(each) for family, each in families.items()}


def _identifiers(told: Sequence[Told]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for event, _, _ in told:
        for namespace, value in event.customer.items():
            found[namespace][value] = event.masks.get(namespace, "")
    return dict(found)


def _attributes(told: Sequence[Told]) -> dict[str, Attribute]:
    return {
        name: Attribute(value, event.source, at, event.event_id)
        for event, at, given in told
        for name, value in given.get("attributes", {}).items()
    }


def _consents(told: Sequence[Told]) -> dict[str, Consent]:
    return {
        purpose: Consent(granted, event.source, at, event.event_id)
        for event, at, given in told
        for purpose, granted in given.get("consents", {}).items()
    }
