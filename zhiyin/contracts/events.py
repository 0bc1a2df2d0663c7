"""Customer events as they stand on the `events.*` topics (JSON), and their typed properties.

The envelope keeps `properties` as the producer wrote them, so nothing a storefront sends is lost;
`properties_of` gives the typed view of the same bytes. On a topic, phone and email are tokens.
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, cast

import msgspec
from msgspec import Meta, Raw, Struct, field

NAMESPACES: Final = (
    "member_id",
    "unionid",
    "openid",
    "phone",
    "email",
    "alipay_id",
    "device_id",
    "anonymous_id",
)
PERSONAL_NAMESPACES: Final = frozenset({"phone", "email"})
# Strongest first: the first one present is the event's key in the log. `profile_id` addresses a
# person directly; only the platform itself writes it (operator commands).
KEY_ORDER: Final = (
    "profile_id",
    "member_id",
    "unionid",
    "phone",
    "email",
    "openid",
    "alipay_id",
    "device_id",
    "anonymous_id",
)

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Money = Annotated[Decimal, Meta(description="decimal string or JSON number")]
_MOST_MONEY: Final = Decimal(10) ** 12


def _check_money(name: str, amount: Decimal) -> None:
    """Refuse what cannot be an amount: NaN, infinity, below zero, beyond a trillion."""
    if not (amount.is_finite() and 0 <= amount <= _MOST_MONEY):
        raise ValueError(f"{name} must be between 0 and {_MOST_MONEY:f}")


class Event(Struct, frozen=True, omit_defaults=True):
    """One customer event. `occurred_at` has an offset; `masks` holds the shown form of tokens."""

    event_id: Name
    type: Name
    occurred_at: datetime
    customer: dict[str, str]
    properties: Raw = field(default_factory=lambda: Raw(b"{}"))
    source: Name = "default"
    imported: bool = field(name="import", default=False)
    received_at: datetime | None = None
    stated_at: datetime | None = None  # what a clock running ahead had said; see contract
    masks: dict[str, str] = {}


class Item(Struct, frozen=True):
    """One line of an order. `pack_days`: how many days one pack lasts one person."""

    sku: Name
    name: str | None = None
    category: str | None = None
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    unit_price: Money | None = None
    pack_days: Annotated[int, Meta(ge=1, le=3650)] | None = None

    def __post_init__(self) -> None:
        if self.unit_price is not None:
            _check_money("unit_price", self.unit_price)


class PurchaseCompleted(Struct, frozen=True, tag="purchase.completed"):
    order_id: Name
    total: Money
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CNY"
    channel: str | None = None
    store_id: str | None = None
    gift: bool = False
    coupon_codes: list[str] = []
    items: list[Item] = []

    def __post_init__(self) -> None:
        _check_money("total", self.total)


class PurchaseRefunded(Struct, frozen=True, tag="purchase.refunded"):
    order_id: Name
    refund_id: Name
    amount: Money
    items: list[Item] = []

    def __post_init__(self) -> None:
        _check_money("amount", self.amount)


class PurchaseCancelled(Struct, frozen=True, tag="purchase.cancelled"):
    order_id: Name


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


class SupportOpened(Struct, frozen=True, tag="support.opened"):
    ticket_id: Name
    kind: Literal["question", "complaint", "return"] = "question"
    channel: str | None = None
    subject: str | None = None
    text: str | None = None


class SupportMessaged(Struct, frozen=True, tag="support.messaged"):
    ticket_id: Name
    text: str
    author: Literal["customer", "agent"] = "customer"


class SupportResolved(Struct, frozen=True, tag="support.resolved"):
    ticket_id: Name


class SupportRated(Struct, frozen=True, tag="support.rated"):
    ticket_id: Name
    score: Annotated[int, Meta(ge=1, le=5)]


class _Community(Struct, frozen=True):
    text: str | None = None
    sku: str | None = None
    score: float | None = None


class CommunityShared(_Community, frozen=True, tag="community.shared"):
    pass


class CommunityReviewed(_Community, frozen=True, tag="community.reviewed"):
    pass


class CommunityCheckedIn(_Community, frozen=True, tag="community.checked_in"):
    pass


class CommunityAsked(_Community, frozen=True, tag="community.asked"):
    pass


Scalar = str | int | float | bool | None


class CustomerUpdated(Struct, frozen=True, tag="customer.updated"):
    """`attributes` values are scalars or lists of scalars; null removes the attribute."""

    attributes: dict[Name, Scalar | list[Scalar]] = {}
    consents: dict[Name, bool] = {}


class CustomerLinked(Struct, frozen=True, tag="customer.linked"):
    """The event's identifiers are one person; or, from an operator, `absorb` joins `keep`.

    `withdrawn`: purposes on which two merged people had disagreed; the stricter answer holds."""

    keep: str | None = None
    absorb: str | None = None
    actor: str | None = None
    withdrawn: list[str] = []


class CustomerUnlinked(Struct, frozen=True, tag="customer.unlinked"):
    """`identifiers` (`namespace:value`) leave this person and become one of their own."""

    identifiers: list[str] = []
    actor: str | None = None


class CustomerTagged(Struct, frozen=True, tag="customer.tagged"):
    """An operator set a tag by hand; `until` is when it ends, if ever."""

    tag: Name
    until: datetime | None = None
    actor: str | None = None


class CustomerUntagged(Struct, frozen=True, tag="customer.untagged"):
    tag: Name
    actor: str | None = None


class _Engagement(Struct, frozen=True):
    action_id: str | None = None
    channel: str | None = None


class EngagementDelivered(_Engagement, frozen=True, tag="engagement.delivered"):
    pass


class EngagementOpened(_Engagement, frozen=True, tag="engagement.opened"):
    pass


class EngagementClicked(_Engagement, frozen=True, tag="engagement.clicked"):
    pass


class EngagementBounced(_Engagement, frozen=True, tag="engagement.bounced"):
    pass


class EngagementUnsubscribed(_Engagement, frozen=True, tag="engagement.unsubscribed"):
    pass


class Custom(Struct, frozen=True):
    """Any `custom.<name>` event; its properties are free."""


Properties = (
    PurchaseCompleted
    | PurchaseRefunded
    | PurchaseCancelled
    | BrowseViewed
    | BrowseSearched
    | BrowseCarted
    | BrowseUncarted
    | BrowseFavorited
    | BrowseVisitedStore
    | SupportOpened
    | SupportMessaged
    | SupportResolved
    | SupportRated
    | CommunityShared
    | CommunityReviewed
    | CommunityCheckedIn
    | CommunityAsked
    | CustomerUpdated
    | CustomerLinked
    | CustomerUnlinked
    | CustomerTagged
    | CustomerUntagged
    | EngagementDelivered
    | EngagementOpened
    | EngagementClicked
    | EngagementBounced
    | EngagementUnsubscribed
    | Custom
)

_TYPES: Final = tuple(kind for kind in Properties.__args__ if kind is not Custom)
PROPERTIES: Final[Mapping[str, type[Struct]]] = {
    cast(str, kind.__struct_config__.tag): kind for kind in _TYPES
}
# Written by the platform for an operator's command, never accepted from a storefront.
OPERATOR_TYPES: Final = frozenset({"customer.tagged", "customer.untagged"})

# The tag names the type inside a union; here the envelope names it, so it is not looked for.
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(kind) for name, kind in PROPERTIES.items()
}
_CUSTOM: Final = Custom()
_event_decoder: Final = msgspec.json.Decoder(Event)
_event_encoder: Final = msgspec.json.Encoder()


def known(event_type: str) -> bool:
    """Whether an event type is one of the contract's, or a well-formed `custom.<name>`."""
    return event_type in PROPERTIES or (
        event_type.startswith("custom.") and len(event_type) > len("custom.")
    )


def decode_event(value: bytes) -> Event:
    """Decode an event from a topic. Raises msgspec.ValidationError or DecodeError."""
    return _event_decoder.decode(value)


def encode_event(event: Event) -> bytes:
    return _event_encoder.encode(event)


def properties_of(event: Event) -> Properties:
    """The typed properties of an event.

    Raises msgspec.ValidationError whose message ends with the path (`$.items[0].sku`), or KeyError
    for a type that is not `known`.
    """
    if event.type.startswith("custom."):
        return _CUSTOM
    return cast(Properties, _DECODERS[event.type].decode(event.properties))


def event_key(customer: Mapping[str, str]) -> str:
    """The log key of an event: its strongest identifier, as `namespace:value`."""
    for namespace in KEY_ORDER:
        if value := customer.get(namespace):
            return f"{namespace}:{value}"
    raise ValueError("an event needs at least one identifier")


def event_digest(source: str, event_id: str) -> bytes:
    """Identity of an event for deduplication: 128 bits of BLAKE2b over source and event id."""
    return hashlib.blake2b(f"{source}\0{event_id}".encode(), digest_size=16).digest()


def event_uid(source: str, event_id: str) -> uuid.UUID:
    """The same as a UUID, which takes twice as long to make."""
    return uuid.UUID(bytes=event_digest(source, event_id))
