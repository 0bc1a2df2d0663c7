"""Every call the gateway passes on, in the order in which the documentation lists them."""

from typing import Final

from services.gateway.routes import (
    campaigns,
    coupons,
    profiles,
    rfm,
    rules,
    segment_library,
    segments,
    tags,
    words,
)

FORWARDED: Final = (
    *profiles.CALLS,
    *tags.CALLS,
    *words.CALLS,
    *segments.CALLS,
    *segment_library.CALLS,
    *rfm.CALLS,
    *rules.CALLS,
    *campaigns.CALLS,
    *coupons.CALLS,
)
