"""How much of a person's history facts keep event by event. What goes is counted by day."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from services.profile.domain.draft import PURCHASE, Draft
from services.profile.domain.purchases import forget_purchases
from services.profile.domain.trimming import LONGEST
from zhiyin.contracts.profiles import Kept


class _Item(Struct):
    category: Any = None


class _Category(Struct):
    """Not every event's type says what its category is, so it may be anything."""

    category: Any = None


class _Items(Struct):
    items: list[_Item] = []


_category: Final = msgspec.msgpack.Decoder(_Category)
_items: Final = msgspec.msgpack.Decoder(_Items)


def forget(draft: Draft) -> None:
    """Let go of what is too much in the families of which events have come."""
    limits = draft.policy.limits
    for family in draft.opened():
        history = draft.history(family)
        most = limits.kept_purchases if family == PURCHASE else limits.kept
        excess = history.excess(most, limits.kept_bytes[family])
        if family == PURCHASE and (excess or draft.superseded):
            gone = forget_purchases(draft, excess)
        else:
            gone = history.take_oldest(excess)
        if gone:
            last = gone[-1]
            place = (last.at, last.event_id, last.source)
            draft.forgotten = {**draft.forgotten, family: place}
        for kept in gone:
            count(draft, family, kept)
    draft.crowd_out()


def count(draft: Draft, family: str, kept: Kept) -> None:
    """An event is only counted from now on: a purchase as one, and as one in each category that
    was in it; any other in its category."""
    if family == PURCHASE:
        exact = draft.policy.limits.exact_purchases
        draft.count_event(kept.type, "", kept.at, exact)
        for name in sorted(
            {n for item in _items.decode(kept.properties).items if (n := _named(item.category))}
        ):
            draft.count_event(kept.type, name, kept.at, exact)
    else:
        category = _named(_category.decode(kept.properties).category)
        draft.count_event(kept.type, category, kept.at, 0)


def _named(category: Any) -> str:
    return category if isinstance(category, str) and len(category) <= LONGEST else ""
