"""Does an event on somebody with 20,000 events cost what it costs on somebody with 200?

One event at a time from bytes to bytes, as the pipeline folds it: stored facts decoded, the event
read and folded in, the facts encoded. Where the facts ask for the whole history, reading and
folding that counts too. A year or so of a busy person: orders, browsing, support, messages; some
orders come back or are cancelled, some events come late.
"""

import random
from collections.abc import Iterator, Sequence
from statistics import median
from time import process_time
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Raw

from bench.report import Figure
from services.profile.domain.fold import Folded, fold, refold
from services.profile.domain.packed import PackedFacts
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Reader
from zhiyin.contracts.events import Event, encode_event
from zhiyin.contracts.instants import DAY, HOUR, Instant, moment
from zhiyin.contracts.profiles import encode

_START: Final[Instant] = 1_700_000_000_000_000
_YEAR: Final = 400 * DAY
_CATEGORIES: Final = (
    "坚果",
    "阿胶糕",
    "果干",
    "维生素",
    "茶",
    "零食",
    "健身",
    "美妆",
    "母婴",
    "礼盒",
)
_MEASURED: Final = 400
_LIGHT: Final = 200
_HEAVY: Final = 20_000
_ROUNDS: Final = 5


class Cost(NamedTuple):
    """`micros`: per event; `asked`: how often the whole history had to be read; `size`: bytes."""

    micros: float
    asked: int
    size: int


def stream(count: int, *, every: Instant | None = None, seed: int = 7) -> Iterator[bytes]:
    """`count` events of one person as they stand on the topics, in the order of arrival."""
    rng = random.Random(seed)
    gap = every if every is not None else _YEAR // count
    orders: list[str] = []
    for number in range(count):
        at = _START + number * gap
        kind, properties = _event(rng, number, orders)
        if rng.random() < 0.01:
            at -= rng.randrange(6 * HOUR)
        yield encode_event(
            Event(
                f"e-{number}",
                kind,
                moment(at),
                {"member_id": "M1"},
                Raw(msgspec.json.encode(properties)),
            )
        )


def _event(rng: random.Random, number: int, orders: list[str]) -> tuple[str, dict[str, Any]]:
    chance = rng.random()
    if chance < 0.30:
        orders.append(f"O-{number}")
        return "purchase.completed", _order(rng, orders[-1])
    if chance < 0.31 and orders:
        order_id = rng.choice(orders[-5:])
        return "purchase.refunded", {
            "order_id": order_id,
            "refund_id": f"R-{number}",
            "amount": "9.90",
        }
    if chance < 0.315 and orders:
        return "purchase.cancelled", {"order_id": rng.choice(orders[-3:])}
    if chance < 0.36:
        return "support.opened", {
            "ticket_id": f"T-{number}",
            "kind": "question",
            "text": "怎么吃？",
        }
    if chance < 0.40:
        return "engagement.opened", {"action_id": f"A-{number}", "channel": "sms"}
    category = rng.choice(_CATEGORIES)
    sku = f"SKU-{rng.randrange(80)}"
    return "browse.viewed", {
        "kind": "product",
        "sku": sku,
        "category": category,
        "title": f"{category} 200g",
    }


def _order(rng: random.Random, order_id: str) -> dict[str, Any]:
    items = [_item(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    return {
        "order_id": order_id,
        "total": f"{sum(20 * each['quantity'] for each in items)}.00",
        "currency": "CNY",
        "channel": rng.choice(("online", "pos", "tmall")),
        "store_id": rng.choice((None, "S1", "S2")),
        "coupon_codes": ["C1"] if rng.random() < 0.3 else [],
        "items": items,
    }


def _item(rng: random.Random) -> dict[str, Any]:
    number = int(rng.paretovariate(1)) % 120
    category = _CATEGORIES[number % len(_CATEGORIES)]
    return {
        "sku": f"SKU-{number}",
        "name": f"{category} 200g",
        "category": category,
        "quantity": rng.choice((1, 1, 2)),
        "unit_price": "20.00",
    }


def cost_after(before: int, rounds: int = _ROUNDS) -> Cost:
    """What the next events cost on somebody with `before` events."""
    # The same pace for both, so that only the length of the history differs.
    values = list(stream(before + _MEASURED, every=_YEAR // _HEAVY))
    earlier = [_read(value) for value in values[:before]]
    start = encode(refold(earlier, PLAIN))
    runs = [_run(start, earlier, values[before:]) for _ in range(rounds)]
    return Cost(median(run.micros for run in runs), runs[0].asked, runs[0].size)


def _run(stored: bytes, earlier: Sequence[PersonEvent], values: Sequence[bytes]) -> Cost:
    seen, asked = list(earlier), 0
    started = process_time()
    for value in values:
        event = _read(value)
        seen.append(event)
        folded = fold(_decoder.decode(stored), [event], PLAIN)
        if isinstance(folded, Folded):
            stored = encode(folded.facts)
        else:
            asked += 1
            stored = encode(refold([_read(each.value) for each in seen], PLAIN))
    micros = (process_time() - started) * 1e6 / len(values)
    return Cost(micros, asked, len(stored))


def _read(value: bytes) -> PersonEvent:
    event = _reader.read(value, _END_OF_TIME)
    if not isinstance(event, PersonEvent):
        raise TypeError(event.reason)
    return event


_END_OF_TIME: Final = 1 << 60
_reader: Final = Reader(PLAIN.currency, ZoneInfo("Asia/Shanghai"))
_decoder: Final = msgspec.msgpack.Decoder(PackedFacts)


def run() -> Sequence[Figure]:
    light, heavy = cost_after(_LIGHT), cost_after(_HEAVY)
    return [
        Figure(f"an event on somebody with {_LIGHT:,} events", light.micros, "µs"),
        Figure(f"an event on somebody with {_HEAVY:,} events", heavy.micros, "µs"),
        Figure("ratio of the two (at most 2 is asked for)", heavy.micros / light.micros, "×"),
        Figure(f"whole history read, in {_MEASURED} events", heavy.asked, "times"),
        Figure(f"facts document of somebody with {_LIGHT:,} events", light.size / 1024, "KB"),
        Figure(f"facts document of somebody with {_HEAVY:,} events", heavy.size / 1024, "KB"),
    ]
