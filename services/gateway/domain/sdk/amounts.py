"""Amounts and quantities as shops' pages compute them: in floats, or as text."""

from decimal import Decimal, InvalidOperation
from typing import Any, Final

# 25.990000000000002 is what JavaScript makes of a sum; the door takes six decimals.
_GRAIN: Final = Decimal("0.000001")
_MOST_DIGITS: Final = 20


def amount(value: Any) -> Decimal | None:
    """None if it is no amount at all."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        exact = Decimal(value.strip() if isinstance(value, str) else value)
        if not exact.is_finite() or exact.adjusted() > _MOST_DIGITS:
            return None
        return exact.quantize(_GRAIN)
    except InvalidOperation:
        return None


def stated(value: Any) -> Any:
    """The amount as text for the contract; what is none stays, for the door to refuse."""
    found = amount(value)
    return value if found is None else written(found)


def written(exact: Decimal) -> str:
    """Without zeros at its end."""
    return f"{exact.normalize():f}"


def whole(value: Any) -> Any:
    """`2.0` and `"2"` as 2; what is no whole number stays, for the door to refuse."""
    found = amount(value)
    return int(found) if found is not None and found == int(found) else value
