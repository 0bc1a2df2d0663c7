"""What is posted about orders, folded: at once where an order is new and the newest, otherwise by
counting the open orders again, and from the whole history where even that does not tell."""

from collections.abc import Sequence

from msgspec.structs import replace

from services.profile.domain.draft import PURCHASE, Draft
from services.profile.domain.history import decode_kept
from services.profile.domain.orders import (
    Posting,
    Story,
    boundary,
    is_gift,
    order_of_story,
    posted,
    posting_of,
    sale_of,
    standing_sale,
    stories_of,
)
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.remembering import (
    out_of_reach,
    remembers,
    with_event,
)
from zhiyin.contracts.buying import Order, Place
from zhiyin.contracts.money import to_minor
from zhiyin.contracts.profiles import EXACT_WINDOW, Kept
from zhiyin.contracts.properties.purchase import PurchaseCompleted


def purchased(draft: Draft, event: PersonEvent, posting: Posting, newer: int) -> None:
    """`newer`: how many purchase events there are after this one."""
    draft.changed.update(("orders", "reorder"))
    remembered = draft.remembered.get(PURCHASE, b"")
    if draft.whole:
        draft.rebook = True
    else:
        _fold(draft, event, posting, newer, remembered)
    draft.remembered = {
        **draft.remembered,
        PURCHASE: with_event(remembered, posting.order_id, newer, draft.policy.limits.ids),
    }


def _fold(
    draft: Draft, event: PersonEvent, posting: Posting, newer: int, remembered: bytes
) -> None:
    ids = draft.policy.limits.ids
    order = draft.books.order(posting.order_id)
    if PURCHASE in draft.before.forgotten and (
        out_of_reach(remembered, newer, ids)
        or _untold(draft, event, posting, newer > 0, order)
        or (order is None and remembers(remembered, posting.order_id, ids + newer))
    ):
        draft.incomplete = True
    elif newer or order is not None or not isinstance(posting, PurchaseCompleted):
        if order is None:
            draft.books.note(posting.order_id, Order(event.at))
        draft.rebook = True
    else:
        _newest(draft, event, posting)


def _untold(
    draft: Draft, event: PersonEvent, posting: Posting, late: bool, order: Order | None
) -> bool:
    """Whether an event, where some are no longer kept, concerns what is not."""
    completed = isinstance(posting, PurchaseCompleted)
    place = (event.at, event.event_id, event.source)
    if late and draft.books.settled is not None and place < draft.books.settled:
        return True
    if order is None:
        return not completed
    if late and event.at <= order.at:
        return True
    return order.settled or (completed and event.at - order.at > EXACT_WINDOW)


def _newest(draft: Draft, event: PersonEvent, posting: PurchaseCompleted) -> None:
    """The common case: a new order, newer than all."""
    total = to_minor(posting.total, posting.currency)
    order = Order(event.at, event.event_id, total, is_gift(posting))
    draft.books.note(posting.order_id, order)
    if draft.rebook:
        return
    draft.books.add(sale_of(posting, order, draft.policy))
    for item in posting.items:
        if item.category:
            draft.changed.add(f"categories.{item.category}")


def rebook(draft: Draft) -> None:
    """Count the open orders again, from the events of theirs that are kept."""
    books = draft.books
    settled = {name: books.orders_kept[name] for name in _settled_orders(draft)}
    stories = [story for story in _stories(draft) if story.order_id not in settled]
    books.rewind()
    books.orders_kept = settled
    for story in stories:
        books.note(story.order_id, order_of_story(story, draft.policy))
    for _, story in _in_order(stories):
        sale = standing_sale(story, draft.policy)
        if sale is not None:
            books.add(sale)
    draft.superseded = any(story.superseded for story in stories)


def forget_purchases(draft: Draft, excess: int) -> Sequence[Kept]:
    """Let go of the oldest events, at least `excess` of them, and settle their orders."""
    history = draft.history(PURCHASE)
    oldest = [(each, posted(each)) for each in map(decode_kept, history.elements()[:excess])]
    if draft.superseded or not all(_plain(draft, *each) for each in oldest):
        excess = _settle(draft, excess)
        return history.take_oldest(excess)
    history.take_raw(excess)
    for kept, posting in oldest:
        _settle_plain(draft, kept, posting)
    return [kept for kept, _ in oldest]


def _plain(draft: Draft, kept: Kept, posting: Posting) -> bool:
    """Whether an event is all there is to its order, or the order has been settled already."""
    order = draft.books.order(posting.order_id)
    if order is None:
        return False
    truth = order.event_id == kept.event_id and order.at == kept.at
    return order.settled or (truth and (order.cancelled or not order.refunded))


def _settle_plain(draft: Draft, kept: Kept, posting: Posting) -> None:
    books = draft.books
    order = books.order(posting.order_id) or Order()
    if not order.settled and isinstance(posting, PurchaseCompleted):
        sale = sale_of(posting, order, draft.policy) if order.counts else None
        books.settle((kept.at, kept.event_id, kept.source), sale)
    _leave(draft, posting.order_id, order, 1)


def _settle(draft: Draft, excess: int) -> int:
    """How many events go: of two orders with one id the older one's go too."""
    books = draft.books
    settled = _settled_orders(draft)
    stories = _stories(draft)
    gone = max((s.numbers[-1] + 1 for s in stories if s.superseded), default=0)
    gone = max(gone, excess)
    open_stories = [story for story in stories if story.order_id not in settled]
    upto = boundary(open_stories, gone)
    for place, story in _in_order(open_stories):
        if upto is not None and place <= upto:
            books.settle(place, standing_sale(story, draft.policy))
    books.orders_kept = {name: books.orders_kept[name] for name in settled}
    for story in stories:
        left = sum(number < gone for number in story.numbers)
        if (order := settled.get(story.order_id)) is None:
            order = order_of_story(story, draft.policy)
            early = story.numbers[0] < gone if story.place is None else False
            done = story.place is not None and upto is not None and story.place <= upto
            order = replace(order, settled=early or done)
        _leave(draft, story.order_id, order, left)
    return gone


def _leave(draft: Draft, order_id: str, order: Order, events: int) -> None:
    """So many of an order's events are not kept any more."""
    if order.events > events:
        still = order if order.settled or not events else replace(order, settled=True)
        draft.books.note(order_id, replace(still, events=order.events - events))
    else:
        draft.books.orders_kept.pop(order_id, None)


def _stories(draft: Draft) -> list[Story]:
    postings = map(posting_of, draft.history(PURCHASE).elements())
    return stories_of(postings, draft.policy.limits.ids)


def _in_order(stories: Sequence[Story]) -> list[tuple[Place, Story]]:
    """Those with an order, oldest first."""
    placed = [(story.place, story) for story in stories if story.place is not None]
    return sorted(placed, key=lambda each: each[0])


def _settled_orders(draft: Draft) -> dict[str, Order]:
    books = draft.books
    known = ((name, books.order(name)) for name in books.orders_kept)
    return {name: order for name, order in known if order is not None and order.settled}
