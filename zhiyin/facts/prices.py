"""How much somebody waits for a better price."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from zhiyin.contracts.profiles import Facts

SENSITIVITIES: Final = ("unknown", "low", "medium", "high")
_FEWEST_ORDERS: Final = 3
_HIGH: Final = Decimal("0.6")
_MEDIUM: Final = Decimal("0.3")
_HUNDREDTH: Final = Decimal("0.01")


def discounted_share(facts: Facts) -> Decimal | None:
    """Of what was spent in all, net of refunds, the part on orders with anything taken off, to a
    hundredth; None before anything was spent."""
    return _share(facts.prices.spent, facts.orders.total)


def coupon_share(facts: Facts) -> Decimal | None:
    """The part of orders in which a coupon was used."""
    return _share(facts.prices.coupons, facts.orders.count)


def price_sensitivity(facts: Facts) -> str:
    """`high` from 60 % discounted spend, `medium` from 30 %; `unknown` below three orders."""
    part = discounted_share(facts)
    if part is None or facts.orders.count < _FEWEST_ORDERS:
        return "unknown"
    return "high" if part >= _HIGH else "medium" if part >= _MEDIUM else "low"


def share(part: Decimal | None) -> float | None:
    """As JSON has it."""
    return None if part is None else float(part)


def _share(part: int, whole: int) -> Decimal | None:
    if whole <= 0:
        return None
    return (Decimal(part) / whole).quantize(_HUNDREDTH, ROUND_HALF_UP)
