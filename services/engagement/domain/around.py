"""Circumstances as a catalog makes them, for what is live and for what is tried on history."""

from collections.abc import Callable
from uuid import UUID

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.links import Issuer
from zhiyin.contracts.instants import Instant


def around(
    catalog: Catalog,
    remaining: dict[str, int],
    code_of: Callable[[UUID], str],
    currency: str,
    now: Instant,
    links: Issuer | None = None,
) -> Circumstances:
    return Circumstances(
        now=now,
        channels=catalog.channels,
        pressure=catalog.pressure,
        templates=catalog.templates,
        coupon_templates=catalog.coupon_templates,
        code_of=code_of,
        currency=currency,
        remaining=remaining,
        experiments=catalog.experiments,
        top_priority=catalog.top_priority if catalog.pressure.arbitration else 0,
        links=links,
    )
