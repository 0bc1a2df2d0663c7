"""A year in the life of some people, as events: duplicated, shuffled, partly broken; seeded."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

CATEGORIES = ("坚果", "阿胶糕", "果干", "维生素", "燕麦")


@dataclass
class Workload:
    """`valid` are unique good events; `stream` is what gets posted: with duplicates and with
    `broken` ones that the door must refuse; `pings` the event ids that must each act once."""

    valid: list[Json] = field(default_factory=list)
    broken: list[Json] = field(default_factory=list)
    stream: list[Json] = field(default_factory=list)
    pings: set[str] = field(default_factory=set)


def generate(
    events: int, people: int, seed: int, now: datetime, duplicates: float = 0.05
) -> Workload:
    """`events` valid events of `people` persons, plus 1 % broken ones and the duplicates."""
    rng = random.Random(seed)
    made = Workload()
    for number in range(events):
        event = _event(rng, f"e-{seed}-{number}", rng.randrange(people), seed, now)
        made.valid.append(event)
        if event["type"] == "custom.ping":
            made.pings.add(event["event_id"])
    made.broken = [_broken(rng, f"bad-{seed}-{number}", now) for number in range(events // 100)]
    repeats = rng.sample(made.valid, int(events * duplicates))
    made.stream = [*made.valid, *repeats, *made.broken]
    rng.shuffle(made.stream)
    return made


def _customer(rng: random.Random, person: int, seed: int) -> dict[str, str]:
    """Some of a person's identifiers, so that the graph is only joined up event by event."""
    known = {
        "member_id": f"M{seed}-{person}",
        "phone": f"+86138{seed * 100_000 + person:08d}",
        "openid": f"o{seed}-{person}",
        "device_id": f"d{seed}-{person}",
    }
    return {name: known[name] for name in rng.sample(sorted(known), rng.choice((1, 1, 2)))}


def _event(rng: random.Random, event_id: str, person: int, seed: int, now: datetime) -> Json:
    imported = rng.random() < 0.2
    age = timedelta(days=rng.random() * 380) if imported else timedelta(hours=rng.random() * 20)
    kind = rng.choices(
        ("purchase", "view", "ping", "support", "refund", "update"), (50, 25, 10, 5, 5, 5)
    )[0]
    event_type, properties = _properties(rng, kind, event_id, person)
    return {
        "event_id": event_id,
        "type": event_type,
        "occurred_at": (now - age).isoformat(),
        "source": rng.choice(("pos", "mini-program")),
        "customer": _customer(rng, person, seed),
        "properties": properties,
        **({"import": True} if imported and event_type != "custom.ping" else {}),
    } | ({"occurred_at": (now - timedelta(minutes=5)).isoformat()} if kind == "ping" else {})


def _properties(rng: random.Random, kind: str, event_id: str, person: int) -> tuple[str, Json]:
    order = f"O-{person}-{rng.randrange(40)}"
    match kind:
        case "purchase":
            lines = [
                {
                    "sku": f"S{rng.randrange(60)}",
                    "category": rng.choice(CATEGORIES),
                    "quantity": rng.randint(1, 3),
                    "unit_price": f"{rng.randint(500, 20_000) / 100:.2f}",
                    "pack_days": rng.choice((7, 30, None)),
                }
                for _ in range(rng.randint(1, 3))
            ]
            total = sum(float(line["unit_price"]) * line["quantity"] for line in lines)
            return "purchase.completed", {
                "order_id": rng.choice((order, f"O-{event_id}")),
                "total": f"{total:.2f}",
                "channel": rng.choice(("online", "store")),
                "gift": rng.random() < 0.1,
                "items": lines,
            }
        case "refund" if rng.random() < 0.5:
            return "purchase.cancelled", {"order_id": order}
        case "refund":
            return "purchase.refunded", {
                "order_id": order,
                "refund_id": f"R-{event_id}",
                "amount": f"{rng.randint(1, 90)}.00",
            }
        case "view":
            return "browse.viewed", {
                "kind": "product",
                "sku": f"S{rng.randrange(60)}",
                "category": rng.choice(CATEGORIES),
            }
        case "support":
            ticket = f"T-{person}-{rng.randrange(3)}"
            if rng.random() < 0.4:
                return "support.resolved", {"ticket_id": ticket}
            return "support.opened", {
                "ticket_id": ticket,
                "kind": rng.choice(("question", "complaint")),
                "text": "包装破了",
            }
        case "update":
            return "customer.updated", {
                "attributes": {"city": rng.choice(("杭州", "上海", "成都"))},
                "consents": {"marketing.sms": person % 3 > 0},
            }
        case _:
            return "custom.ping", {"n": rng.randrange(1000)}


def _broken(rng: random.Random, event_id: str, now: datetime) -> Json:
    good: Json = {
        "event_id": event_id,
        "type": "purchase.completed",
        "occurred_at": now.isoformat(),
        "customer": {"member_id": "M-broken"},
        "properties": {"order_id": "O", "total": "1.00"},
    }
    return good | rng.choice(
        (
            {"type": "purchase.imagined"},
            {"occurred_at": "yesterday"},
            {"customer": {}},
            {"properties": {"order_id": "O", "total": "-5"}},
            {"customer": {"phone": "12"}},
            {"occurred_at": (now + timedelta(days=3)).isoformat()},
            {"properties": {"order_id": "O\u0000", "total": "1"}},
        )
    )


def this_moment() -> datetime:
    return datetime.now(UTC)
