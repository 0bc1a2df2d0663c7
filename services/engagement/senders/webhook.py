"""The channel of kind `webhook`: Standard Webhooks, to one resolved address, no redirects."""

from datetime import datetime
from typing import Final
from urllib.parse import quote

import msgspec
from standardwebhooks import Webhook

from services.engagement.domain.channels import Channel
from services.engagement.senders.outbound import Answered, Outbound
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Retry, Sent
from zhiyin.contracts.channels import WebhookConfig
from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import Clock

# The receiver has understood, and will not take this one however often it comes.
_REFUSED: Final = frozenset({400, 405, 406, 413, 414, 415, 422, 431, 451, 501})
_config: Final = msgspec.json.Decoder(WebhookConfig).decode
_json: Final = msgspec.json.Encoder(order="deterministic").encode


class WebhookSender:
    def __init__(self, outbound: Outbound, clock: Clock) -> None:
        self.longest = outbound.longest
        self._outbound = outbound
        self._clock = clock

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        config = _config(channel.config)
        body = body_of(parcel)
        answer = await self._outbound.post(config.url, body, self._headers(config, parcel, body))
        return judge(answer) if isinstance(answer, Answered) else answer

    def _headers(self, config: WebhookConfig, parcel: Parcel, body: bytes) -> dict[str, str]:
        # The library puts UTC on the time whatever its zone, so it must be UTC already.
        at: datetime = moment(self._clock())
        message_id = str(parcel.action_id)
        trace = {"traceparent": parcel.traceparent} if parcel.traceparent else {}
        return {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(config.secret or "").sign(message_id, at, body.decode()),
            **_cloudevent(parcel, message_id),
            **trace,
        }


def _cloudevent(parcel: Parcel, message_id: str) -> dict[str, str]:
    """The same message as a CloudEvent in binary mode: its attributes are headers, so that the
    body, which is signed, stays what it is."""
    return {
        "ce-specversion": "1.0",
        "ce-id": message_id,
        "ce-source": f"/campaigns/{quote(parcel.campaign)}",
        "ce-type": f"action.{parcel.kind}",
        "ce-subject": f"profile_id:{parcel.profile_id}",
    }


def body_of(parcel: Parcel) -> bytes:
    """The same bytes on every attempt."""
    return _json(
        {
            "type": f"action.{parcel.kind}",
            "action_id": str(parcel.action_id),
            "profile_id": parcel.profile_id,
            "campaign": parcel.campaign,
            "step": parcel.step,
            "data": parcel.data,
        }
    )


def judge(answer: Answered) -> Attempt:
    """What a status says about the attempt."""
    status = answer.status
    if 200 <= status < 300:
        return Sent()
    if status == 410:
        return Failed("answered 410 Gone", gone=True)
    if status in _REFUSED:
        return Failed(f"answered {status}")
    return Retry(f"answered {status}", answer.retry_after, ailing=status >= 500 or status == 429)
