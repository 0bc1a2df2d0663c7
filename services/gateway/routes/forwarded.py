"""Every call the gateway passes on, in the order in which the documentation lists them."""

from typing import Final

from services.gateway.routes import (
    campaigns,
    coupons,
    inbox,
    playbooks,
    profiles,
    rfm,
    rules,
    segment_library,
    segments,
    simulations,
    tags,
    tasks,
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
    *playbooks.CALLS,
    *inbox.CALLS,
    *tasks.CALLS,
    *simulations.CALLS,
)
