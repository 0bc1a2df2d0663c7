"""Shapes that several events share: names and amounts of money."""

from decimal import Decimal
from typing import Annotated, Final

from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Money = Annotated[Decimal, Meta(description="decimal string or JSON number")]
_MOST_MONEY: Final = Decimal(10) ** 12


def check_money(name: str, amount: Decimal) -> None:
    """Refuse what cannot be an amount: NaN, infinity, below zero, beyond a trillion."""
    if not (amount.is_finite() and 0 <= amount <= _MOST_MONEY):
        raise ValueError(f"{name} must be between 0 and {_MOST_MONEY:f}")
