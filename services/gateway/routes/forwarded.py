"""Every call the gateway passes on, in the order in which the documentation lists them."""

from typing import Final

from services.gateway.routes import campaigns, coupons, profiles, rfm, rules, segments, tags, words

FORWARDED: Final = (
    *profiles.CALLS,
    *tags.CALLS,
    *words.CALLS,
    *segments.CALLS,
    *rfm.CALLS,
    *rules.CALLS,
    *campaigns.CALLS,
    *coupons.CALLS,
)
