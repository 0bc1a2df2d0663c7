"""What a person shared, reviewed, asked, or where they checked in."""

from msgspec import Struct


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
