"""The channel of kind `webhook`: Standard Webhooks, to one resolved address, no redirects."""

import asyncio
from datetime import datetime
from typing import Final

import httpx
import msgspec
from standardwebhooks import Webhook

from services.engagement.domain.channels import Channel
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Retry, Sent
from services.engagement.senders.places import BadPlace, Places, Target, target
from zhiyin.contracts.channels import WebhookConfig
from zhiyin.contracts.instants import SECOND, Duration, moment
from zhiyin.runtime.clock import Clock

_ANSWER_BYTES: Final = 16_384  # we look at the status only
# The receiver has understood, and will not take this one however often it comes.
_REFUSED: Final = frozenset({400, 405, 406, 413, 414, 415, 422, 431, 451, 501})
_config: Final = msgspec.json.Decoder(WebhookConfig).decode
_json: Final = msgspec.json.Encoder(order="deterministic").encode


class WebhookSender:
    longest = 20.0

    def __init__(self, client: httpx.AsyncClient, places: Places, clock: Clock) -> None:
        self._client = client
        self._places = places
        self._clock = clock

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        config = _config(channel.config)
        try:
            # httpx bounds each read; only a deadline bounds a receiver that drips.
            async with asyncio.timeout(self.longest):
                return await self._call(config, parcel)
        except BadPlace as error:
            return Failed(f"refused: {error}")
        except TimeoutError:
            return Retry(f"no answer within {self.longest:g} s")
        except OSError as error:
            return Retry(f"cannot resolve the host: {error}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Retry(f"{type(error).__name__}: {error}"[:300])

    async def _call(self, config: WebhookConfig, parcel: Parcel) -> Attempt:
        place = target(config.url)
        address = await self._places.resolve(place.host, place.port)
        body = body_of(parcel)
        return await self._post(place, address, self._headers(config, place, parcel, body), body)

    async def _post(
        self, place: Target, address: str, headers: dict[str, str], body: bytes
    ) -> Attempt:
        host = f"[{address}]" if ":" in address else address
        request = self._client.build_request(
            "POST",
            f"{place.scheme}://{host}:{place.port}{place.path}",
            content=body,
            headers=headers,
            extensions={"sni_hostname": place.host} if place.scheme == "https" else {},
        )
        answer = await self._client.send(request, stream=True)
        try:
            read = 0
            async for part in answer.aiter_raw():
                read += len(part)
                if read > _ANSWER_BYTES:
                    break
        finally:
            await answer.aclose()
        return judge(answer.status_code, answer.headers.get("retry-after"))

    def _headers(
        self, config: WebhookConfig, place: Target, parcel: Parcel, body: bytes
    ) -> dict[str, str]:
        # The library puts UTC on the time whatever its zone, so it must be UTC already.
        at: datetime = moment(self._clock())
        message_id = str(parcel.action_id)
        trace = {"traceparent": parcel.traceparent} if parcel.traceparent else {}
        return {
            "host": place.authority,
            "content-type": "application/json",
            "user-agent": "Zhiyin",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(config.secret or "").sign(message_id, at, body.decode()),
            **trace,
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


def judge(status: int, retry_after: str | None) -> Attempt:
    """What a status says about the attempt."""
    if 200 <= status < 300:
        return Sent()
    if status == 410:
        return Failed("answered 410 Gone", gone=True)
    if status in _REFUSED:
        return Failed(f"answered {status}")
    after = _seconds(retry_after)
    return Retry(f"answered {status}", after, ailing=status >= 500 or status == 429)


def _seconds(text: str | None) -> Duration | None:
    """Only whole seconds are understood, as everywhere in the platform."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 9:
        return None
    return int(text) * SECOND
