"""What a customer is worth, in four tiers over their RFM scores."""

from typing import Final

VALUE_TIERS: Final = ("vip", "potential", "ordinary", "lost", "none")


def value_tier(r: int, m: int) -> str:
    """The first that holds: `none` without orders · `lost` R=1 · `vip` M≥4 · `potential` M=3 ·
    `ordinary`. The ready segments `value-vip`, `-potential`, `-ordinary` say the same."""
    if r == 0:
        return "none"
    if r == 1:
        return "lost"
    if m >= 4:
        return "vip"
    return "potential" if m == 3 else "ordinary"
