"""What a customer is worth, in four tiers over their RFM scores."""

from typing import Final

VALUE_TIERS: Final = ("vip", "potential", "ordinary", "lost", "none")


def value_tier(r: int, f: int, m: int) -> str:
    """The first that holds: `none` without orders · `lost` R=1 · `vip` F≥4 and M≥4 · `potential`
    F≥3 or M≥3 · `ordinary`."""
    if r == 0:
        return "none"
    if r == 1:
        return "lost"
    if f >= 4 and m >= 4:
        return "vip"
    return "potential" if f >= 3 or m >= 3 else "ordinary"
