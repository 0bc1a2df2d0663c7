"""The fold: facts are a function of the set of a person's events, in whatever order they come.

By definition the facts are `refold(events)`; `fold` adds a few events to facts there are, and
says `NeedsHistory` where what is kept does not suffice to get the same.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.profile.domain.differences import differing
from services.profile.domain.draft import BROWSE, PURCHASE, Draft
from services.profile.domain.orders import books_of, posting_of
from services.profile.domain.packed import PackedFacts
from services.profile.domain.person_event import PersonEvent, event_order
from services.profile.domain.policy import Policy
from services.profile.domain.reducers import reduce
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.profiles import EXACT_BROWSES, EXACT_WINDOW, Kept

NOBODY: Final = PackedFacts()
_WINDOW_DAYS: Final = EXACT_WINDOW // DAY


class Folded(Struct, frozen=True):
    """`changed`: names of the facts that may differ now, as rules read them."""

    facts: PackedFacts
    changed: frozenset[str]


class NeedsHistory(Struct, frozen=True):
    """What is kept does not tell; fold again from the event log."""


class _Category(Struct):
    """Not every browse event's type says what its category is, so it may be anything."""

    category: Any = None


class _OrderId(Struct):
    order_id: str


_category: Final = msgspec.msgpack.Decoder(_Category)
_order_id: Final = msgspec.msgpack.Decoder(_OrderId)


def fold(
    facts: PackedFacts, events: Sequence[PersonEvent], policy: Policy
) -> Folded | NeedsHistory:
    """Facts with these events in them, each of which must be new to them."""
    draft = Draft(facts, policy)
    for event in sorted(events, key=event_order):
        reduce(draft, event)
        if draft.incomplete:
            return NeedsHistory()
    return _finish(draft)


def refold(events: Iterable[PersonEvent], policy: Policy) -> PackedFacts:
    """Facts from all events of a person."""
    draft = Draft(NOBODY, policy)
    for event in sorted(events, key=event_order):
        reduce(draft, event)
    return _finish(draft).facts


def _finish(draft: Draft) -> Folded:
    if draft.rebook:
        _rebook(draft)
    _prune(draft)
    _count_old_browses(draft)
    return Folded(draft.packed(), frozenset(draft.changed))


def _rebook(draft: Draft) -> None:
    """Make the books anew from every purchase, all of which are still kept."""
    old = draft.before
    elements = draft.history(PURCHASE).elements()
    draft.books = books_of(map(posting_of, elements), draft.policy.currency)
    draft.changed.update(("orders", "reorder"))
    draft.changed.update(
        f"categories.{name}" for name in differing(old.categories, draft.books.categories)
    )


def _prune(draft: Draft) -> None:
    """Let go of what has left the exact window."""
    horizon = draft.newest - EXACT_WINDOW
    for family in draft.families_before(horizon):
        if family == BROWSE:
            continue
        gone = draft.history(family).take_before(horizon)
        if gone:
            draft.pruned = max(draft.pruned, gone[-1].at)
        if family == PURCHASE:
            _forget_orders(draft, gone, horizon)


def _forget_orders(draft: Draft, gone: Sequence[Kept], horizon: int) -> None:
    for kept in gone:
        order_id = _order_id.decode(kept.properties).order_id
        order = draft.books.order(order_id)
        if order is not None and order.at < horizon:
            del draft.books.orders_kept[order_id]


def _count_old_browses(draft: Draft) -> None:
    """Browse events beyond the newest ones are counted by day from now on."""
    if not draft.opened(BROWSE):
        return
    history = draft.history(BROWSE)
    for kept in history.take_oldest(max(len(history) - EXACT_BROWSES, 0)):
        category = _category.decode(kept.properties).category
        named = category if isinstance(category, str) else ""
        draft.count_day(kept.type, named, kept.at // DAY, _WINDOW_DAYS)
