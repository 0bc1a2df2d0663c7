"""Two tag rules of the demo's own, so that profiles show what tags look like."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from rich.console import Console
from rich.table import Table

RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "nuts-regular": {
        "name": "坚果常客",
        "rule": {
            "count": {
                "event": "purchase.completed",
                "where": {"category": "坚果"},
                "within": "180d",
            },
            "op": "gte",
            "value": 3,
        },
    },
    "snack-browser": {
        "name": "连看三次零食",
        "rule": {
            "streak": {"event": "browse.viewed", "where": {"category": "膨化零食"}},
            "op": "gte",
            "value": 3,
        },
        "ttl": "90d",
    },
}


class Rules(Protocol):
    async def put(self, path: str, body: Mapping[str, Any]) -> Any: ...

    async def post(self, path: str, body: Mapping[str, Any]) -> Any: ...


async def set_tag_rules(rules: Rules) -> None:
    for tag, rule in RULES.items():
        await rules.put(f"/v1/tag-rules/{tag}", rule)


async def show_tags(rules: Rules, console: Console) -> None:
    table = Table("tag", "name", title="tags of the demo's rules")
    table.add_column("people", justify="right")
    for tag, rule in RULES.items():
        preview = await rules.post("/v1/segments/preview", {"rule": {"tag": tag}})
        table.add_row(tag, rule["name"], f"{preview['count']:,}")
    console.print(table)
