"""Events as storefronts post them."""

import itertools
from datetime import UTC, datetime
from typing import Any

from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import wall_clock

_numbers = itertools.count(1)


def now() -> datetime:
    return moment(wall_clock()).astimezone(UTC)


def a_purchase(member_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """A valid purchase; `changes` replace top-level members, None removes one."""
    number = next(_numbers)
    event = {
        "event_id": f"e-{number}",
        "type": "purchase.completed",
        "occurred_at": now().isoformat(),
        "source": "tmall",
        "customer": {"member_id": member_id or f"M{number}"},
        "properties": {"order_id": f"O-{number}", "total": "259.00", "currency": "CNY"},
        **changes,
    }
    return {name: value for name, value in event.items() if value is not None}


def an_event(event_type: str, properties: Any, **changes: Any) -> dict[str, Any]:
    return a_purchase(type=event_type, properties=properties, **changes)
