"""What came of it: segments, actions and delays, as tables."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from rich.console import Console
from rich.table import Table

EVERYBODY: Final = {"rule": {"fact": "orders.count", "op": "gte", "value": 0}}
_DELAYS: Final[Mapping[str, str]] = {
    "event_to_profile": "event → profile",
    "event_to_segment": "event → segment",
    "event_to_action": "event → action",
    "due_to_fired": "due → fired",
}


class Reader(Protocol):
    async def get(self, path: str, **params: str | int) -> Any: ...

    async def post(self, path: str, body: Mapping[str, Any]) -> Any: ...


async def show_segments(reader: Reader, console: Console) -> None:
    people = (await reader.post("/v1/segments/preview", EVERYBODY))["population"]
    table = Table("segment", "name", title=f"{people:,} profiles")
    table.add_column("people", justify="right")
    for segment in (await reader.get("/v1/segments"))["items"]:
        table.add_row(segment["key"], segment["name"], f"{segment['count']:,}")
    console.print(table)


async def show_campaigns(reader: Reader, console: Console) -> None:
    """One row per campaign and outcome: entered, sent, or the reason why not."""
    table = Table("campaign", "what", "outcome", title="actions and refusals")
    table.add_column("count", justify="right")
    for campaign in (await reader.get("/v1/campaigns"))["items"]:
        report = await reader.get(f"/v1/campaigns/{campaign['key']}/report")
        for what, outcome, count in report_rows(report):
            table.add_row(campaign["key"], what, outcome, f"{count:,}")
    console.print(table)


def report_rows(report: Any) -> Sequence[tuple[str, str, int]]:
    """(what, outcome, count): people who entered or why not, then steps done or why not."""
    people = [
        ("people", one["reason"] or one["outcome"], one["count"]) for one in report["decisions"]
    ]
    steps = [
        (
            " by ".join(filter(None, (one["kind"], one["channel"]))),
            ": ".join(filter(None, (one["state"], one["reason"]))),
            one["count"],
        )
        for one in report["actions"]
    ]
    return [*people, *steps]


def show_delays(system: Any, console: Console) -> None:
    table = Table("delay", title="delays of live events, last two minutes")
    for heading in ("p50 ms", "p99 ms", "count"):
        table.add_column(heading, justify="right")
    for key, name in _DELAYS.items():
        delay = system["delays"].get(key)
        if delay and delay["count"]:
            table.add_row(
                name, f"{delay['p50_ms']:,.0f}", f"{delay['p99_ms']:,.0f}", f"{delay['count']:,}"
            )
    console.print(table)
