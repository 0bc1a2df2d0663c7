"""What became of a message that was sent."""

from msgspec import Struct


class _Engagement(Struct, frozen=True):
    action_id: str | None = None
    channel: str | None = None


class EngagementDelivered(_Engagement, frozen=True, tag="engagement.delivered"):
    pass


class EngagementOpened(_Engagement, frozen=True, tag="engagement.opened"):
    pass


class EngagementClicked(_Engagement, frozen=True, tag="engagement.clicked"):
    url: str | None = None


class EngagementBounced(_Engagement, frozen=True, tag="engagement.bounced"):
    """`hard`: nothing will ever arrive at `address` (`namespace:token`)."""

    hard: bool = False
    address: str | None = None
    reason: str | None = None


class EngagementUnsubscribed(_Engagement, frozen=True, tag="engagement.unsubscribed"):
    pass
