"""Reports under a Standard Webhooks signature: of webhook receivers, and of mail relays."""

import email
import email.policy
import re
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from typing import Annotated, Final, Literal, cast

import msgspec
from msgspec import Meta, Struct
from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

from services.engagement.callbacks.heard import Report, Taken, Unfit, Unsigned
from zhiyin.contracts.callbacks import Callback
from zhiyin.contracts.channels import SmtpConfig, WebhookConfig
from zhiyin.contracts.instants import instant
from zhiyin.runtime.bodies import field_error

_MAIL: Final = ("message/rfc822", "message/delivery-status", "multipart/report")
_OURS: Final = re.compile(r"<([0-9a-f-]{36})@zhiyin>")
# RFC 3463: of the address (bad mailbox, bad system, moved without a trace), not of the moment.
_DEAD: Final = re.compile(r"5\.1\.(?:1|2|3|6|10)$")
_TAKEN: Final = b'{"taken":true}'


class _Event(Struct, frozen=True):
    type: Literal["delivered", "opened", "clicked", "bounced", "unsubscribed"]
    action_id: Annotated[str, Meta(pattern="^[0-9a-f-]{36}$")]
    at: str | None = None
    hard: bool = False
    reason: Annotated[str, Meta(max_length=500)] | None = None
    url: Annotated[str, Meta(max_length=2000)] | None = None


class _Said(Struct, frozen=True):
    events: Annotated[list[_Event], Meta(min_length=1, max_length=1000)]


_said: Final = msgspec.json.Decoder(_Said)


def take(callback: Callback, config: WebhookConfig | SmtpConfig) -> Taken:
    """Raises Unsigned, Unfit."""
    _verify(callback, config.secret or "")
    media_type = callback.headers.get("content-type", "").partition(";")[0].strip().lower()
    if isinstance(config, SmtpConfig) and media_type in _MAIL:
        return Taken(list(_returned(callback.body)), _TAKEN)
    try:
        said = _said.decode(callback.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        found = field_error(str(error))
        raise Unfit(found.pointer, found.message) from error
    return Taken([_report(each, place) for place, each in enumerate(said.events)], _TAKEN)


def _verify(callback: Callback, secret: str) -> None:
    try:
        Webhook(secret).verify(callback.body, callback.headers, json_parse=False)
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError) as error:
        raise Unsigned("the Standard Webhooks signature does not fit") from error


def _report(event: _Event, place: int) -> Report:
    at = None
    if event.at is not None:
        try:
            at = instant(datetime.fromisoformat(event.at))
        except ValueError as error:
            raise Unfit(f"/events/{place}/at", "a time as RFC 3339 with its offset") from error
    return Report(
        event.type,
        action_id=event.action_id,
        at=at,
        hard=event.hard,
        reason=event.reason,
        url=event.url,
        part=event.url or "",
    )


def _returned(raw: bytes) -> Iterator[Report]:
    """A letter that came back (RFC 3464), or was complained of (RFC 5965). What is neither says
    nothing."""
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    ours = _OURS.search(raw.decode("utf-8", "replace"))
    if ours is None:
        return
    for part in letter.walk():
        match part.get_content_type():
            case "message/delivery-status":
                yield from _statuses(part, ours[1])
            case "message/feedback-report":
                if "abuse" in _text(part).lower():
                    yield Report("unsubscribed", action_id=ours[1], reason="complained of as spam")
            case _:
                pass


def _statuses(part: Message, action_id: str) -> Iterator[Report]:
    for block in part.get_payload():
        fields = cast(Message, block)
        action, status = (
            str(fields.get("Action", "")).lower(),
            str(fields.get("Status", "")).strip(),
        )
        if action == "failed" or (action == "" and status.startswith("5.")):
            hard = _DEAD.match(status) is not None
            yield Report("bounced", action_id=action_id, hard=hard, reason=f"status {status}")
        elif action == "delivered":
            yield Report("delivered", action_id=action_id)


def _text(part: Message) -> str:
    payload = part.get_payload()
    return "\n".join(str(each) for each in payload) if isinstance(payload, list) else str(payload)
