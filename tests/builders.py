"""Builders of events, so that a test says only what matters to it.

`at` is an `Instant` (µs) or an aware datetime; identifiers and properties not named have defaults.
Event ids are derived from type and content unless given, so equal calls give equal events.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import Instant, instant, moment

# 2026-03-01T00:00:00Z: a plain day, in no year's beginning, end or leap day.
START: Instant = instant(datetime.fromisoformat("2026-03-01T00:00:00+00:00"))

Customer = Mapping[str, str]


def an_event(
    type: str,
    at: Instant | datetime = START,
    *,
    customer: Customer | str = "M1",
    source: str = "shop",
    event_id: str | None = None,
    imported: bool = False,
    **properties: Any,
) -> Event:
    """Any event. `customer` as text is a member_id. Properties of None are left out."""
    when = at if isinstance(at, datetime) else moment(at)
    who = {"member_id": customer} if isinstance(customer, str) else dict(customer)
    given = {name: value for name, value in properties.items() if value is not None}
    body = msgspec.json.encode(given)
    return Event(
        event_id=event_id or _derived(type, when, who, body),
        type=type,
        occurred_at=when,
        customer=who,
        properties=msgspec.Raw(body),
        source=source,
        imported=imported,
    )


def _derived(type: str, when: datetime, who: Mapping[str, str], body: bytes) -> str:
    content = f"{type}|{when.isoformat()}|{sorted(who.items())}|".encode() + body
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def an_item(
    sku: str = "NUT-1",
    *,
    category: str | None = "坚果",
    quantity: int = 1,
    unit_price: str | None = None,
    pack_days: int | None = None,
    name: str | None = None,
) -> dict[str, Any]:
    item = {
        "sku": sku,
        "name": name,
        "category": category,
        "quantity": quantity,
        "unit_price": unit_price,
        "pack_days": pack_days,
    }
    return {key: value for key, value in item.items() if value is not None}


def a_purchase(
    at: Instant | datetime = START,
    *,
    total: str | float = "100.00",
    order_id: str | None = None,
    items: Sequence[Mapping[str, Any]] | None = None,
    gift: bool | None = None,
    channel: str | None = None,
    coupon_codes: Sequence[str] | None = None,
    **envelope: Any,
) -> Event:
    """A completed order of one pack of nuts, unless told otherwise."""
    when = at if isinstance(at, int) else instant(at)
    return an_event(
        "purchase.completed",
        at,
        order_id=order_id or f"O-{when}",
        total=total,
        items=[an_item()] if items is None else list(items),
        gift=gift,
        channel=channel,
        coupon_codes=coupon_codes,
        **envelope,
    )


def a_refund(
    at: Instant | datetime = START,
    *,
    order_id: str,
    amount: str | float,
    refund_id: str = "R-1",
    items: Sequence[Mapping[str, Any]] | None = None,
    **envelope: Any,
) -> Event:
    return an_event(
        "purchase.refunded",
        at,
        order_id=order_id,
        refund_id=refund_id,
        amount=amount,
        items=items,
        **envelope,
    )


def a_cancellation(at: Instant | datetime = START, *, order_id: str, **envelope: Any) -> Event:
    return an_event("purchase.cancelled", at, order_id=order_id, **envelope)


def a_browse(
    at: Instant | datetime = START,
    *,
    category: str | None = "健身",
    sku: str | None = None,
    kind: str = "product",
    dwell_seconds: float | None = None,
    **envelope: Any,
) -> Event:
    """A product page looked at."""
    return an_event(
        "browse.viewed",
        at,
        kind=kind,
        sku=sku,
        category=category,
        dwell_seconds=dwell_seconds,
        **envelope,
    )


def a_ticket(
    at: Instant | datetime = START,
    *,
    ticket_id: str = "T-1",
    kind: str = "question",
    text: str | None = None,
    **envelope: Any,
) -> Event:
    """A support ticket opened."""
    return an_event("support.opened", at, ticket_id=ticket_id, kind=kind, text=text, **envelope)


def a_resolution(
    at: Instant | datetime = START, *, ticket_id: str = "T-1", **envelope: Any
) -> Event:
    return an_event("support.resolved", at, ticket_id=ticket_id, **envelope)


def a_rating(
    at: Instant | datetime = START, *, ticket_id: str = "T-1", score: int = 5, **envelope: Any
) -> Event:
    return an_event("support.rated", at, ticket_id=ticket_id, score=score, **envelope)


def an_update(
    at: Instant | datetime = START,
    *,
    attributes: Mapping[str, Any] | None = None,
    consents: Mapping[str, bool] | None = None,
    **envelope: Any,
) -> Event:
    """What a customer, or a system that knows them, says about them."""
    return an_event("customer.updated", at, attributes=attributes, consents=consents, **envelope)


def a_link(at: Instant | datetime = START, *, customer: Customer | str, **envelope: Any) -> Event:
    """The customer's identifiers are one person."""
    return an_event("customer.linked", at, customer=customer, **envelope)


def an_engagement(
    kind: str = "opened",
    at: Instant | datetime = START,
    *,
    action_id: str = "A-1",
    channel: str = "sms",
    **envelope: Any,
) -> Event:
    """What became of a message: `delivered`, `opened`, `clicked`, `bounced`, `unsubscribed`."""
    return an_event(f"engagement.{kind}", at, action_id=action_id, channel=channel, **envelope)
