"""What of an event's properties is kept for rules: everything but free text and long strings."""

import re
from typing import Any, Final

from zhiyin.contracts.events import Item, PurchaseCompleted, PurchaseRefunded

LONGEST: Final = 128
_FREE_TEXT: Final = frozenset({"text", "subject"})
_LONG_RUN: Final = re.compile(rb'[^"]{129}')
_LONGEST_AMOUNT: Final = 64
Content = dict[str, Any]


def trimmed(content: Content, raw: bytes) -> Content:
    """The same object where there is nothing to leave out."""
    if not _doubtful(raw):
        return content
    short = _short(content)
    return content if short == content else short


def _doubtful(raw: bytes) -> bool:
    """Whether the JSON may hold anything to leave out: cheaper than looking into all of it. With an
    escape in it, neither names nor lengths can be told from outside."""
    return (
        b"\\" in raw or b'"text"' in raw or b'"subject"' in raw or _LONG_RUN.search(raw) is not None
    )


def _short(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _short(inner)
                for name, inner in value.items()
                if name not in _FREE_TEXT and not _long(inner)
            }
        case list():
            return [_short(inner) for inner in value if not _long(inner)]
        case _:
            return value


def _long(value: Any) -> bool:
    return isinstance(value, str) and len(value) > LONGEST


def with_exact_money(content: Content, posting: PurchaseCompleted | PurchaseRefunded) -> Content:
    """Amounts as decimal text: MessagePack would turn JSON's exact numbers into floats.

    Raises ValueError for an amount of absurdly many digits.
    """
    field = "total" if isinstance(posting, PurchaseCompleted) else "amount"
    amount = posting.total if isinstance(posting, PurchaseCompleted) else posting.amount
    exact = content | {field: _text(str(amount), content[field])}
    if posting.items:
        exact["items"] = [
            _exact_item(written, item)
            for written, item in zip(content["items"], posting.items, strict=True)
        ]
    return exact


def _exact_item(written: Content, item: Item) -> Content:
    if item.unit_price is None:
        return written
    return written | {"unit_price": _text(str(item.unit_price), written["unit_price"])}


def _text(exact: str, written: Any) -> str:
    text = written if isinstance(written, str) else exact
    if len(text) > _LONGEST_AMOUNT:
        raise ValueError(f"an amount has more than {_LONGEST_AMOUNT} digits")
    return text
