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
    pass


class EngagementBounced(_Engagement, frozen=True, tag="engagement.bounced"):
    pass


class EngagementUnsubscribed(_Engagement, frozen=True, tag="engagement.unsubscribed"):
    pass
