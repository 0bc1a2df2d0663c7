"""Numbers in properties that no event could truly have.

Checked at the door and not in the contract's types: what is in the log already must stay readable.
"""

from typing import Final

from services.gateway.domain.rejection import Rejection
from zhiyin.contracts.properties.browse import BrowseCarted, BrowseUncarted, BrowseViewed
from zhiyin.contracts.properties.community import (
    CommunityAsked,
    CommunityCheckedIn,
    CommunityReviewed,
    CommunityShared,
)
from zhiyin.contracts.properties.event_types import Properties

_MOST_DWELL_SECONDS: Final = 7 * 86_400
_MOST_QUANTITY: Final = 1_000_000
_MOST_SCORE: Final = 100


def out_of_range(properties: Properties) -> Rejection | None:
    """Why an event's numbers are refused; pointers start at the properties."""
    match properties:
        case BrowseViewed(dwell_seconds=float(seconds)):
            return _between("dwell_seconds", seconds, 0, _MOST_DWELL_SECONDS)
        case BrowseCarted(quantity=int(count)) | BrowseUncarted(quantity=int(count)):
            return _between("quantity", count, 1, _MOST_QUANTITY)
        case (
            CommunityShared(score=float(score))
            | CommunityReviewed(score=float(score))
            | CommunityCheckedIn(score=float(score))
            | CommunityAsked(score=float(score))
        ):
            return _between("score", score, 0, _MOST_SCORE)
        case _:
            return None


def _between(name: str, value: float, least: int, most: int) -> Rejection | None:
    if least <= value <= most:
        return None
    return Rejection("out_of_range", f"{name} is between {least} and {most}", f"/{name}")
