"""Orders from what was posted about them: the definition every shorter way must agree with.

Of one order id the newest `purchase.completed` is the truth, cancellations and refunds hold
whenever they come, and a refund id counts once. An id posted again more than 400 days after its
last posting, or more than 256 purchase events later, is another order.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from services.profile.domain.history import decode_kept
from services.profile.domain.policy import Policy
from services.profile.domain.sales import Line, Sale
from services.profile.domain.trimming import LONGEST
from zhiyin.contracts.buying import Order, Place
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor, to_minor
from zhiyin.contracts.profiles import EXACT_WINDOW, Kept
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


class Story(Struct):
    """Everything posted about one order. `place`: of the truth; `numbers`: where its events stand
    among all that were told of; `superseded`: there is another order of this id."""

    order_id: str
    at: Instant
    place: Place | None = None
    truth: PurchaseCompleted | None = None
    cancelled: bool = False
    refunds: dict[str, PurchaseRefunded] = {}
    numbers: list[int] = []
    superseded: bool = False


def posting_of(element: bytes | Raw) -> tuple[Place, Posting]:
    """A kept purchase event, decoded."""
    kept = decode_kept(element)
    return (kept.at, kept.event_id, kept.source), posted(kept)


def posted(kept: Kept) -> Posting:
    """What a kept purchase event says."""
    posting: Posting = _decoders[kept.type].decode(kept.properties)
    return posting


def stories_of(postings: Iterable[tuple[Place, Posting]], remembered: int) -> list[Story]:
    """`postings` oldest first; `remembered`: after how many of them an id is new again. Of two
    stories of one id the newer stands later."""
    stories: list[Story] = []
    latest: dict[str, Story] = {}
    for number, (place, posting) in enumerate(postings):
        story = latest.get(posting.order_id)
        if story is None or _starts_anew(story, place, posting, number, remembered):
            if story is not None:
                story.superseded = True
            story = latest[posting.order_id] = Story(posting.order_id, place[0])
            stories.append(story)
        _tell(story, place, posting)
        story.numbers.append(number)
    return stories


def _starts_anew(
    story: Story, place: Place, posting: Posting, number: int, remembered: int
) -> bool:
    if not isinstance(posting, PurchaseCompleted):
        return False
    return place[0] - story.at > EXACT_WINDOW or number - story.numbers[-1] > remembered


def _tell(story: Story, place: Place, posting: Posting) -> None:
    match posting:
        case PurchaseCompleted():
            story.truth, story.place, story.at = posting, place, place[0]
        case PurchaseRefunded():
            story.refunds[posting.refund_id] = posting
        case PurchaseCancelled():
            story.cancelled = True
    if story.truth is None:
        story.at = place[0]


def order_of_story(story: Story, policy: Policy) -> Order:
    currency = policy.currency
    refunded = sum(to_minor(each.amount, currency) for each in story.refunds.values())
    if story.truth is None or story.place is None:
        return Order(story.at, "", 0, False, story.cancelled, refunded, events=len(story.numbers))
    total = to_minor(story.truth.total, story.truth.currency)
    return Order(
        story.at,
        story.place[1],
        total,
        is_gift(story.truth),
        story.cancelled,
        refunded,
        len(story.numbers),
    )


def is_gift(order: PurchaseCompleted) -> bool:
    """Whether all of an order is given away."""
    other = order.delivery is not None and order.delivery.to == "other"
    return order.gift or bool(order.gift_message) or other


def standing_sale(story: Story, policy: Policy) -> Sale | None:
    """What an order adds to the books; None if it does not stand."""
    order = order_of_story(story, policy)
    if not order.counts or story.truth is None:
        return None
    return sale_of(story.truth, order, policy, story.refunds.values())


def sale_of(
    posting: PurchaseCompleted,
    order: Order,
    policy: Policy,
    refunds: Collection[PurchaseRefunded] = (),
) -> Sale:
    discount = to_minor(posting.discount, posting.currency) if posting.discount else 0
    coupon = bool(posting.coupon_codes)
    return Sale(
        order,
        _lines_of(posting, order, policy, refunds),
        _named(posting.channel),
        _named(posting.store_id),
        coupon,
        coupon or discount > 0 or any(map(_reduced, posting.items)),
        discount,
    )


def _named(name: str | None) -> str | None:
    # A longer name is not kept, so it must not count now either.
    return name if name and len(name) <= LONGEST else None


def _reduced(item: Item) -> bool:
    list_price, unit_price = item.list_price, item.unit_price
    return list_price is not None and unit_price is not None and unit_price < list_price


def _lines_of(
    posting: PurchaseCompleted,
    order: Order,
    policy: Policy,
    refunds: Collection[PurchaseRefunded],
) -> list[Line]:
    """An order's lines less what came back. A refund of everything empties all lines; one without
    items, of a part, says nothing about which. Lines without a price share what is left of the
    total by quantity."""
    worths = _worths(posting, order.total)
    back, everything = _returned(refunds, order.total, posting.currency) if refunds else ({}, False)
    lines = []
    for item, worth in zip(posting.items, worths, strict=True):
        gone = item.quantity if everything else min(back.get(item.sku, 0), item.quantity)
        if gone:
            back[item.sku] = back.get(item.sku, 0) - gone
        left = item.quantity - gone
        total = worth if not gone else worth * left // item.quantity
        category = _named(item.category)
        gift = order.gift or policy.is_gift_category(category)
        lines.append(Line(item.sku, category, left, total, item.pack_days, gift))
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


def boundary(stories: Sequence[Story], gone: int) -> Place | None:
    """The place of the newest order of which one of the first `gone` events told: orders up to
    there are settled."""
    places = [story.place for story in stories if story.place and story.numbers[0] < gone]
    return max(places, default=None)
