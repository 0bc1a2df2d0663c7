"""What is left of what a campaign brought in, after goods, coupons and messages.

Orders are paid with the coupon already taken off, so of incremental revenue R with discounts D the
goods had a list value of R + D, and with a margin rate m the gain is m (R + D) - D.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from zhiyin.contracts.experiments import ExperimentsSpec
from zhiyin.contracts.money import Minor, to_minor


@dataclass(frozen=True, slots=True)
class Profit:
    """In minor units. `coupon_cost`: discounts, and what was given away; `net` None: nobody was
    left alone to compare with."""

    coupon_cost: Minor
    message_cost: Minor
    net: float | None


def profit(
    incremental: float | None,
    coupons: Mapping[str, tuple[int, Minor]],
    messages: Mapping[str, int],
    given: Mapping[str, Decimal],
    spec: ExperimentsSpec,
    currency: str,
) -> Profit:
    """`coupons`: template → (redeemed, discount); `given`: what one redemption costs beyond it."""
    discount = sum(off for _, off in coupons.values())
    goods = sum(
        to_minor(given[key] * times, currency)
        for key, (times, _) in coupons.items()
        if key in given
    )
    sent = sum(
        to_minor(spec.message_costs[channel] * count, currency)
        for channel, count in messages.items()
        if channel in spec.message_costs
    )
    net = None
    if incremental is not None:
        net = spec.margin_rate * (incremental + discount) - discount - goods - sent
    return Profit(discount + goods, sent, net)
