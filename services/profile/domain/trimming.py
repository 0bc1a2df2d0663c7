"""What of an event's properties is kept for rules: everything but free text and long strings."""

from typing import Any, Final

from zhiyin.contracts.properties.purchase import Item, PurchaseCompleted, PurchaseRefunded

LONGEST: Final = 128
_FREE_TEXT: Final = frozenset({"text", "subject", "wish"})
# Whether there was one says that the order is a gift.
_MESSAGE: Final = "gift_message"
_LEFT_OUT: Final = "…"
_LONGEST_AMOUNT: Final = 64
_AMOUNTS: Final[dict[type, tuple[str, ...]]] = {
    PurchaseCompleted: ("total", "discount"),
    PurchaseRefunded: ("amount",),
}
_PRICES: Final = ("unit_price", "list_price")
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
        b"\\" in raw
        or b'"text"' in raw
        or b'"subject"' in raw
        or b'"wish"' in raw
        or b'"gift_message"' in raw
        or _has_long_run(raw)
    )


def _has_long_run(raw: bytes) -> bool:
    """Whether there are more than LONGEST bytes without a quote. From quote to quote, each as far
    on as may be: few steps where names and values are short."""
    start, width = 0, LONGEST + 1
    while start + width <= len(raw):
        quote = raw.rfind(b'"', start, start + width)
        if quote < 0:
            return True
        start = quote + 1
    return False


def _short(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: _LEFT_OUT if name == _MESSAGE and inner else _short(inner)
                for name, inner in value.items()
                if name not in _FREE_TEXT and (name == _MESSAGE or not _long(inner))
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
    fields = _AMOUNTS[type(posting)]
    if _is_exact(content, fields):
        return content
    exact = content | {
        name: _text(str(amount), content[name])
        for name in fields
        if (amount := getattr(posting, name)) is not None
    }
    if posting.items:
        exact["items"] = [
            _exact_item(written, item)
            for written, item in zip(content["items"], posting.items, strict=True)
        ]
    return exact


def _is_exact(content: Content, fields: tuple[str, ...]) -> bool:
    """Whether every amount is written as text, which is how storefronts are asked to write it."""
    if not all(_is_amount(content[name]) for name in fields if content.get(name) is not None):
        return False
    for item in content.get("items", ()):
        for name in _PRICES:
            price = item.get(name)
            if price is not None and not _is_amount(price):
                return False
    return True


def _is_amount(written: Any) -> bool:
    return type(written) is str and len(written) <= _LONGEST_AMOUNT


def _exact_item(written: Content, item: Item) -> Content:
    return written | {
        name: _text(str(price), written[name])
        for name in _PRICES
        if (price := getattr(item, name)) is not None
    }


def _text(exact: str, written: Any) -> str:
    text = written if isinstance(written, str) else exact
    if len(text) > _LONGEST_AMOUNT:
        raise ValueError(f"an amount has more than {_LONGEST_AMOUNT} digits")
    return text
