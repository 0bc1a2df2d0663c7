"""Money in properties: in the platform's currency, exact, within bounds."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from services.gateway.domain.rejection import Rejection
from zhiyin.contracts.properties.browse import BrowseCarted, BrowseUncarted
from zhiyin.contracts.properties.event_types import Properties
from zhiyin.contracts.properties.purchase import Item, PurchaseCompleted, PurchaseRefunded

_MOST: Final = Decimal(10) ** 12
_MOST_DECIMALS: Final = 6


def unacceptable_money(properties: Properties, raw: bytes, currency: str) -> Rejection | None:
    """Why an event's amounts are refused; pointers start at the properties."""
    if (
        isinstance(properties, PurchaseCompleted)
        and properties.currency != currency
        and b'"currency"' in raw  # left out, it is the platform's
    ):
        return Rejection("unsupported_currency", f"this platform counts in {currency}", "/currency")
    for pointer, amount in _amounts(properties):
        if not _sane(amount):
            return Rejection(
                "invalid_amount",
                f"an amount is between 0 and {_MOST:f} with at most {_MOST_DECIMALS} decimals",
                pointer,
            )
    return None


def _amounts(properties: Properties) -> Iterator[tuple[str, Decimal]]:
    if isinstance(properties, PurchaseCompleted):
        yield "/total", properties.total
        yield from _prices(properties.items)
    elif isinstance(properties, PurchaseRefunded):
        yield "/amount", properties.amount
        yield from _prices(properties.items)
    elif (
        isinstance(properties, BrowseCarted | BrowseUncarted) and properties.unit_price is not None
    ):
        yield "/unit_price", properties.unit_price


def _prices(items: list[Item]) -> Iterator[tuple[str, Decimal]]:
    for index, item in enumerate(items):
        if item.unit_price is not None:
            yield f"/items/{index}/unit_price", item.unit_price


def _sane(amount: Decimal) -> bool:
    if not amount.is_finite() or not 0 <= amount <= _MOST:
        return False
    exponent = amount.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MOST_DECIMALS
