"""The channel of kind `log`: says that something would have been sent, and nothing personal."""

import structlog

from services.engagement.domain.channels import Channel
from services.engagement.senders.parcel import Attempt, Parcel, Sent

_log = structlog.get_logger(__name__)


class LogSender:
    longest = 5.0

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        _log.info(
            "action",
            action_id=str(parcel.action_id),
            kind=parcel.kind,
            channel=channel.name,
            campaign=parcel.campaign,
            step=parcel.step,
            profile_id=parcel.profile_id,
        )
        return Sent()
