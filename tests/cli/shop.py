"""A customer who buys something, as a storefront posts and reads it."""

import time
from typing import Any

from tests.cli.stacks import RunningStack

PATIENCE_SECONDS = 60


def purchase(event_id: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "type": "purchase.completed",
        "occurred_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "source": "shop",
        "customer": {"member_id": "M1"},
        "properties": {
            "order_id": f"O-{event_id}",
            "total": "25.90",
            "currency": "CNY",
            "items": [{"sku": "A", "name": "A", "quantity": 1, "unit_price": "25.90"}],
        },
    }


def buy(stack: RunningStack, event_id: str) -> dict[str, Any]:
    """The profile with this purchase in it. While something restarts the gateway answers 503,
    and the storefront tries again, with the same event."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        posted = stack.call("POST", "/v1/events", "write_key", purchase(event_id))
        if posted.status_code == 202:
            return profile(stack, f"?after={posted.json()['receipt']}")
        assert posted.status_code == 503, posted.text
        assert time.monotonic() < deadline, posted.text
        time.sleep(0.5)


def profile(stack: RunningStack, query: str = "") -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = stack.call("GET", f"/v1/profiles/by/member_id/M1{query}", "read_key")
        if answer.status_code == 200:
            return dict(answer.json())
        assert answer.status_code in (503, 504), answer.text
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)
