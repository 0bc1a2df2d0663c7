"""(m) A virtual year of grocery households through all ready campaigns; the ledger is checked."""

import asyncio
import sys
import time
from collections.abc import Sequence

from bench.report import Figure
from bench.servers import servers
from tests.engagement.harness import an_instance, migrated
from tests.engagement.playbook_year import counts, households, live_a_year
from zhiyin.contracts.instants import HOUR

WINDOW = 2 * HOUR


def run(most: int | None = None) -> Sequence[Figure]:
    return asyncio.run(_run(most))


async def _run(most: int | None) -> Sequence[Figure]:
    events = households(most)
    people = len({event.customer["member_id"] for event in events})
    with servers(kafka=False) as running:
        database = await migrated(running.postgres.dsn)
        async with an_instance(database) as instance:
            started = time.perf_counter()
            broken = await live_a_year(instance, events, WINDOW)
            took = time.perf_counter() - started
            by_campaign = await counts(instance)
    for campaign, outcomes in sorted(by_campaign.items()):
        sys.stdout.write(f"\n{campaign}\n")
        for outcome, count in sorted(outcomes.items(), key=lambda each: -each[1]):
            sys.stdout.write(f"  {count:8,}  {outcome}\n")
    for promise in broken[:20]:
        sys.stdout.write(f"BROKEN {promise}\n")
    entered = sum(each["entered"] for each in by_campaign.values())
    sent = sum(each["message"] for each in by_campaign.values())
    return [
        Figure("people", people, ""),
        Figure("events", len(events), ""),
        Figure("campaigns", len(by_campaign), ""),
        Figure("entered", entered, ""),
        Figure("messages", sent, ""),
        Figure("promises broken", len(broken), ""),
        Figure("time", took, "s"),
    ]
