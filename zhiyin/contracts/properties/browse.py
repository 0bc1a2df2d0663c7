"""What a person looked at, searched, put into the basket, or visited."""

from typing import Literal

from msgspec import Struct

from zhiyin.contracts.properties.shapes import Money, Name


class BrowseViewed(Struct, frozen=True, tag="browse.viewed"):
    kind: Literal["product", "category", "content"] = "product"
    sku: str | None = None
    category: str | None = None
    title: str | None = None
    dwell_seconds: float | None = None


class BrowseSearched(Struct, frozen=True, tag="browse.searched"):
    query: str


class _Basket(Struct, frozen=True):
    sku: Name
    category: str | None = None
    quantity: int | None = None
    unit_price: Money | None = None


class BrowseCarted(_Basket, frozen=True, tag="browse.carted"):
    pass


class BrowseUncarted(_Basket, frozen=True, tag="browse.uncarted"):
    pass


class BrowseFavorited(Struct, frozen=True, tag="browse.favorited"):
    sku: Name
    category: str | None = None


class BrowseVisitedStore(Struct, frozen=True, tag="browse.visited_store"):
    store_id: Name
