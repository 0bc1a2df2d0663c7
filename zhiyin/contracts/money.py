"""Money in minor units (fen for CNY), never a float."""

from decimal import ROUND_HALF_UP, Decimal

Minor = int
_EXPONENT = {"JPY": 0, "KRW": 0, "VND": 0, "KWD": 3, "BHD": 3}


def exponent(currency: str) -> int:
    """Number of decimal places of a currency's minor unit (ISO 4217; 2 unless listed)."""
    return _EXPONENT.get(currency, 2)


def to_minor(amount: Decimal, currency: str = "CNY") -> Minor:
    """Minor units of a decimal amount, half rounded away from zero."""
    scaled = amount.scaleb(exponent(currency))
    whole = int(scaled)
    return whole if whole == scaled else int(scaled.quantize(Decimal(1), ROUND_HALF_UP))


def from_minor(minor: Minor, currency: str = "CNY") -> str:
    """Decimal text of an amount in minor units, such as `259.00`."""
    places = exponent(currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"
