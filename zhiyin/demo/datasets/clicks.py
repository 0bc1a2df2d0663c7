"""Retentioneering's sample shop (ecom.csv.gz): 31,106 clicks of 600 visitors over half a year.

The clicks are the source's (it calls them synthetic); which product was looked at is not in it and
is taken, deterministically, from what the demo's shop sells. Its purchases become
`custom.checkout_finished`, because orders come from one source only.
"""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from zhiyin.contracts.instants import SECOND, Duration, Instant, instant
from zhiyin.demo.datasets.draft import Draft, chance
from zhiyin.demo.datasets.files import package_file
from zhiyin.demo.datasets.households import household
from zhiyin.demo.datasets.purchases import Basket, Line

SOURCE: Final = "mini-program"


class Click(NamedTuple):
    number: int  # its line in the file
    user: str
    session: str
    event: str
    at: Instant  # on the source's clock
    platform: str


Shape = tuple[str, Mapping[str, Any]]


def _content(title: str) -> Callable[[Line], Shape]:
    return lambda line: ("browse.viewed", {"kind": "content", "title": title})


def _step(step: str) -> Callable[[Line], Shape]:
    return lambda line: ("custom.checkout_step", {"step": step})


def _product(line: Line) -> Shape:
    what = {"sku": str(line.product), "category": line.category, "title": line.name}
    return "browse.viewed", {"kind": "product", **what}


def _category(line: Line) -> Shape:
    return "browse.viewed", {"kind": "category", "category": line.category}


def _search(line: Line) -> Shape:
    return "browse.searched", {"query": line.category}


def _cart(line: Line) -> Shape:
    return "browse.carted", {"sku": str(line.product), "category": line.category, "quantity": 1}


def _favorite(line: Line) -> Shape:
    return "browse.favorited", {"sku": str(line.product), "category": line.category}


def _finished(line: Line) -> Shape:
    return "custom.checkout_finished", {"sku": str(line.product)}


def _question(line: Line) -> Shape:
    return "custom.chat_opened", {"category": line.category}


SHAPES: Final[Mapping[str, Callable[[Line], Shape]]] = {
    "home": _content("首页"),
    "promo_page": _content("活动页"),
    "review_page": _content("评价页"),
    "account_page": _content("我的账户"),
    "catalog": _category,
    "filter_results": _category,
    "product_view": _product,
    "compare": _product,
    "search": _search,
    "add_to_cart": _cart,
    "wishlist_add": _favorite,
    "purchase": _finished,
    "support_chat": _question,
    "cart": _step("cart"),
    "shipping_details": _step("shipping"),
    "payment_details": _step("payment"),
    "payment_error": _step("payment_error"),
    "checkout_bug": _step("checkout_bug"),
    "error_page": _step("error"),
}


def read_clicks() -> Sequence[Click]:
    """Every click of the file, in its order."""
    path = package_file("retentioneering", "datasets", "ecom.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return [_click(number, row) for number, row in enumerate(csv.DictReader(file), 1)]


def clicks(
    rows: Sequence[Click], baskets: Sequence[Basket], households: Sequence[int], ends: Instant
) -> Iterator[Draft]:
    """Clicks moved so that the last one falls on `ends`. Every second visitor signs in on the first
    click and is from then on one of `households`; the others stay unknown."""
    move = ends - max(row.at for row in rows)
    members = _members(rows, households)
    lines = [line for basket in baskets[-2000:] for line in basket.lines]
    signed_in: set[str] = set()
    for row in rows:
        member = members.get(row.user)
        if member is not None and row.user not in signed_in:
            signed_in.add(row.user)
            yield _sign_in(row, member, move)
        yield _draft(row, member, move, lines)


def _click(number: int, row: Mapping[str, str]) -> Click:
    at = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
    return Click(
        number, row["user_id"], row["session_id"], row["event"], instant(at), row["platform"]
    )


def _members(rows: Sequence[Click], households: Sequence[int]) -> Mapping[str, int]:
    """Visitor → household, one to one."""
    users = sorted({row.user for row in rows})[::2]
    ordered = sorted(households, key=lambda number: chance("visitor", number))
    return dict(zip(users, ordered, strict=False))


def _sign_in(row: Click, member: int, move: Duration) -> Draft:
    return Draft(
        at=row.at + move - SECOND,
        event_id=f"signin-{row.user}",
        type="customer.linked",
        source=SOURCE,
        customer={"anonymous_id": row.user, "member_id": household(member).member_id},
        properties={},
        household=member,
    )


def _draft(row: Click, member: int | None, move: Duration, lines: Sequence[Line]) -> Draft:
    # One visit looks at one kind of thing; the product differs from click to click.
    shelf = chance("visit", row.session) % len(lines)
    kind, properties = SHAPES[row.event](lines[shelf])
    customer = {"anonymous_id": row.user}
    if row.platform == "mobile":
        customer["device_id"] = f"device-{row.user}"
    at = row.at + move
    return Draft(at, f"click-{row.number}", kind, SOURCE, customer, properties, member)
