"""Every event type of the contract with the type of its properties."""

from collections.abc import Mapping
from typing import Final, cast

from msgspec import Struct

from zhiyin.contracts.properties.browse import (
    BrowseCarted,
    BrowseFavorited,
    BrowseSearched,
    BrowseUncarted,
    BrowseViewed,
    BrowseVisitedStore,
)
from zhiyin.contracts.properties.community import (
    CommunityAsked,
    CommunityCheckedIn,
    CommunityReviewed,
    CommunityShared,
)
from zhiyin.contracts.properties.custom import Custom
from zhiyin.contracts.properties.customer import (
    CustomerErased,
    CustomerLinked,
    CustomerNoted,
    CustomerTagged,
    CustomerUnlinked,
    CustomerUnnoted,
    CustomerUntagged,
    CustomerUpdated,
)
from zhiyin.contracts.properties.engagement import (
    EngagementBounced,
    EngagementClicked,
    EngagementDelivered,
    EngagementOpened,
    EngagementUnsubscribed,
)
from zhiyin.contracts.properties.purchase import (
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseRefunded,
)
from zhiyin.contracts.properties.support import (
    SupportMessaged,
    SupportOpened,
    SupportRated,
    SupportResolved,
)

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
    | CustomerErased
    | CustomerNoted
    | CustomerUnnoted
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
OPERATOR_TYPES: Final = frozenset({"customer.tagged", "customer.untagged", "customer.erased"})


def known(event_type: str) -> bool:
    """Whether an event type is one of the contract's, or a well-formed `custom.<name>`."""
    return event_type in PROPERTIES or (
        event_type.startswith("custom.") and len(event_type) > len("custom.")
    )
