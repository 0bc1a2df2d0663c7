"""Orders from what was posted about them: the definition every shorter way must agree with.

Of one order id the newest `purchase.completed` is the truth, cancellations and refunds hold
whenever they come, and a refund id counts once. An id posted again more than 400 days after its
last posting is another order.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.profile.domain.books import Books, Line
from services.profile.domain.history import decode_kept
from services.profile.domain.person_event import EventOrder
from services.profile.domain.trimming import LONGEST
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor, to_minor
from zhiyin.contracts.profiles import EXACT_WINDOW, Order
from zhiyin.contracts.properties.event_types import PROPERTIES
from zhiyin.contracts.properties.purchase import (
    Item,
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseRefunded,
)

Posting = PurchaseCompleted | PurchaseRefunded | PurchaseCancelled
# The tag names the type inside a union; here the event does, so it is not looked for.
_decoders: Final[dict[str, msgspec.msgpack.Decoder[Any]]] = {
    name: msgspec.msgpack.Decoder(PROPERTIES[name])
    for name in ("purchase.completed", "purchase.refunded", "purchase.cancelled")
}


class _Story(Struct):
    """Everything posted about one order."""

    order_id: str
    at: Instant
    place: EventOrder | None = None
    truth: PurchaseCompleted | None = None
    cancelled: bool = False
    refunds: dict[str, PurchaseRefunded] = {}


def posting_of(element: bytes) -> tuple[EventOrder, Posting]:
    """A kept purchase event, decoded."""
    kept = decode_kept(element)
    posting: Posting = _decoders[kept.type].decode(kept.properties)
    return (kept.at, kept.event_id, kept.source), posting


def books_of(postings: Iterable[tuple[EventOrder, Posting]], currency: str) -> Books:
    """The books of a person's whole buying; `postings` oldest first."""
    stories = _stories(postings)
    books = Books()
    standing: list[tuple[EventOrder, Order, _Story]] = []
    for story in stories:
        order = _order_of(story, currency)
        books.note(story.order_id, order)
        if order.counts and story.place is not None:
            standing.append((story.place, order, story))
    for _, order, story in sorted(standing, key=lambda each: each[0]):
        if story.truth is not None:
            books.add(order, lines_of(story.truth, order.total, story.refunds.values()))
    return books.close()


def _stories(postings: Iterable[tuple[EventOrder, Posting]]) -> list[_Story]:
    """Oldest first, so that of two stories of one id the newer is noted last."""
    stories: list[_Story] = []
    latest: dict[str, _Story] = {}
    for place, posting in postings:
        story = latest.get(posting.order_id)
        again = isinstance(posting, PurchaseCompleted)
        if story is None or (again and place[0] - story.at > EXACT_WINDOW):
            story = latest[posting.order_id] = _Story(posting.order_id, place[0])
            stories.append(story)
        _tell(story, place, posting)
    return stories


def _tell(story: _Story, place: EventOrder, posting: Posting) -> None:
    match posting:
        case PurchaseCompleted():
            story.truth, story.place, story.at = posting, place, place[0]
        case PurchaseRefunded():
            story.refunds[posting.refund_id] = posting
        case PurchaseCancelled():
            story.cancelled = True
    if story.truth is None:
        story.at = place[0]


def _order_of(story: _Story, currency: str) -> Order:
    refunded = sum(to_minor(each.amount, currency) for each in story.refunds.values())
    if story.truth is None or story.place is None:
        return Order(story.at, "", 0, False, story.cancelled, refunded)
    total = to_minor(story.truth.total, story.truth.currency)
    return Order(story.at, story.place[1], total, story.truth.gift, story.cancelled, refunded)


def lines_of(
    order: PurchaseCompleted, total: Minor, refunds: Collection[PurchaseRefunded] = ()
) -> list[Line]:
    """An order's lines less what came back. A refund of everything empties all lines; one without
    items, of a part, says nothing about which. Lines without a price share what is left of the
    total by quantity."""
    worths = _worths(order, total)
    if not refunds:
        return [_line(item, item.quantity, worths[n]) for n, item in enumerate(order.items)]
    back, everything = _returned(refunds, total, order.currency)
    lines = []
    for item, worth in zip(order.items, worths, strict=True):
        gone = item.quantity if everything else min(back.get(item.sku, 0), item.quantity)
        if gone:
            back[item.sku] = back.get(item.sku, 0) - gone
        left = item.quantity - gone
        lines.append(_line(item, left, worth if not gone else worth * left // item.quantity))
    return lines


def _worths(order: PurchaseCompleted, total: Minor) -> list[Minor]:
    """Of each item."""
    currency = order.currency
    worths: list[Minor] = []
    unpriced = priced = 0
    for item in order.items:
        if item.unit_price is None:
            unpriced += item.quantity
            worths.append(0)
        else:
            worth = to_minor(item.unit_price * item.quantity, currency)
            priced += worth
            worths.append(worth)
    if unpriced:
        rest = max(total - priced, 0)
        for place, item in enumerate(order.items):
            if item.unit_price is None:
                worths[place] = rest * item.quantity // unpriced
    return worths


def _line(item: Item, quantity: int, total: Minor) -> Line:
    # A longer name is not kept, so it must not count now either.
    category = item.category if item.category and len(item.category) <= LONGEST else None
    return Line(item.sku, category, quantity, total, item.pack_days)


def _returned(
    refunds: Iterable[PurchaseRefunded], total: Minor, currency: str
) -> tuple[dict[str, int], bool]:
    """Packs returned per SKU, and whether the whole order came back."""
    back: dict[str, int] = {}
    amount = 0
    for refund in refunds:
        amount += to_minor(refund.amount, currency)
        for item in refund.items:
            back[item.sku] = back.get(item.sku, 0) + item.quantity
    return back, amount >= total > 0
