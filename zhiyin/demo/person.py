"""One person's page, in text."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_CATEGORIES_SHOWN = 6


def show_person(
    console: Console, profile: Any, timeline: Sequence[Any], actions: Sequence[Any]
) -> None:
    """The profile as the API gave it, with the newest events and decisions."""
    name = profile["attributes"].get("name", {}).get("value") or profile["profile_id"]
    known = "  ".join(
        f"{namespace} {', '.join(values)}" for namespace, values in profile["identifiers"].items()
    )
    parts: list[RenderableType] = [
        Text(known),
        _summary(profile),
        _categories(profile["categories"]),
        _events(timeline),
    ]
    if actions:
        parts.append(_decisions(actions))
    console.print(Panel(Group(*parts), title=f"{name} · {profile['profile_id']}", expand=False))


def _summary(profile: Any) -> Table:
    orders, rfm, life = profile["orders"], profile["rfm"], profile["lifecycle"]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row(
        "orders", f"{orders['count']} · {orders['total']} in all · {orders['average']} each"
    )
    table.add_row("last order", str(orders["last_at"]))
    table.add_row("RFM", f"{rfm['r']}-{rfm['f']}-{rfm['m']} {rfm['class']}")
    table.add_row("lifecycle", f"{life['stage']} since {life['since']}")
    table.add_row("segments", ", ".join(profile["segments"]) or "–")
    table.add_row("tags", ", ".join(tag["tag"] for tag in profile["tags"]) or "–")
    consents = profile["consents"].items()
    table.add_row(
        "consents", ", ".join(f"{'+' if one['granted'] else '−'}{key}" for key, one in consents)
    )
    return table


def _categories(categories: Any) -> Table:
    table = Table("category", "orders", "pieces", "total", box=None, padding=(0, 2, 0, 0))
    most = sorted(categories.items(), key=lambda item: -item[1]["orders"])
    for name, one in most[:_CATEGORIES_SHOWN]:
        table.add_row(name, str(one["orders"]), str(one["quantity"]), one["total"])
    return table


def _events(timeline: Sequence[Any]) -> Table:
    table = Table("newest events", "", box=None, padding=(0, 2, 0, 0))
    for event in timeline:
        table.add_row(str(event.get("occurred_at")), str(event.get("type")))
    return table


def _decisions(actions: Sequence[Any]) -> Table:
    table = Table("decisions", "", "", "", box=None, padding=(0, 2, 0, 0))
    for action in actions:
        table.add_row(
            *(str(action.get(name) or "") for name in ("campaign", "kind", "state", "reason"))
        )
    return table
