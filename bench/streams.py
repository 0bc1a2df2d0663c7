"""Events for the benchmarks: a brand's customers, some of them heavy buyers; seeded."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from msgspec import Raw
from msgspec.json import encode

from zhiyin.contracts.events import Event

CATEGORIES = ("坚果", "果干", "阿胶糕", "燕麦", "维生素", "蛋白粉", "茶", "零食")
END = datetime(2026, 11, 1, tzinfo=UTC)


def events(count: int, people: int, seed: int = 7) -> Iterator[Event]:
    """`count` events of `people` persons in order of time: two purchases to one view, one to
    four lines each; a tenth of the people make half of the events."""
    rng = random.Random(seed)
    heavy = max(people // 10, 1)
    step = timedelta(days=365) / count
    for number in range(count):
        person = rng.randrange(heavy) if rng.random() < 0.5 else rng.randrange(people)
        at = END - timedelta(days=365) + step * number
        bought = rng.random() < 2 / 3
        yield Event(
            event_id=f"{seed}-{number}",
            type="purchase.completed" if bought else "browse.viewed",
            occurred_at=at,
            received_at=at,
            source="bench",
            customer={"member_id": f"M{person}"},
            properties=_purchase(rng, number) if bought else _view(rng),
        )


def _purchase(rng: random.Random, number: int) -> Raw:
    lines = [
        {
            "sku": f"S{rng.randrange(300)}",
            "category": rng.choice(CATEGORIES),
            "quantity": rng.randint(1, 3),
            "unit_price": f"{rng.randint(500, 30_000) / 100:.2f}",
            "pack_days": 30,
        }
        for _ in range(rng.randint(1, 4))
    ]
    cents = sum(
        round(float(str(line["unit_price"])) * 100) * int(str(line["quantity"])) for line in lines
    )
    total = f"{cents // 100}.{cents % 100:02d}"
    return Raw(
        encode({"order_id": f"O{number}", "total": total, "channel": "online", "items": lines})
    )


def _view(rng: random.Random) -> Raw:
    sku, category = f"S{rng.randrange(300)}", rng.choice(CATEGORIES)
    return Raw(encode({"kind": "product", "sku": sku, "category": category}))
