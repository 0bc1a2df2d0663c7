"""The channel of kind `smtp`: one message, its Message-ID the action's id."""

import asyncio
import re
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

import aiosmtplib
import msgspec

from services.engagement.domain.channels import Channel
from services.engagement.senders.addresses import AddressUnavailable
from services.engagement.senders.parcel import AddressBook, Attempt, Failed, Parcel, Retry, Sent
from zhiyin.contracts.channels import SmtpConfig
from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import Clock

_SECONDS: Final = 15.0
_SUBMIT_SECONDS: Final = 60.0
_PERMANENT: Final = 500
# RFC 3463: the mailbox is full, or a policy is against it; the address itself is fine.
_NOT_THE_ADDRESS: Final = re.compile(r"^\s*5\.(?:2\.[0-3]|3\.\d+|4\.\d+|5\.\d+|7\.\d+)\b")
_NO_MAILBOX: Final = frozenset({550, 551, 553})
_config: Final = msgspec.json.Decoder(SmtpConfig).decode


class SmtpSender:
    longest = _SUBMIT_SECONDS + 10.0  # with the address asked for

    def __init__(self, addresses: AddressBook, clock: Clock) -> None:
        self._addresses = addresses
        self._clock = clock

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        if parcel.address is None:
            return Failed("no e-mail address")
        config = _config(channel.config)
        try:
            recipient = await self._addresses.reveal(*parcel.address, str(parcel.action_id))
        except AddressUnavailable as error:
            return Retry(str(error))
        if recipient is None:
            return Failed("the address has been erased")
        try:
            message = self._message(config, recipient, parcel)
        except ValueError as error:
            return Failed(f"cannot be put into a message: {error}")
        return await _submit(config, message, parcel.where)

    def _message(self, config: SmtpConfig, recipient: str, parcel: Parcel) -> EmailMessage:
        message = EmailMessage()
        message["From"] = config.sender
        message["To"] = recipient
        if config.reply_to:
            message["Reply-To"] = config.reply_to
        message["Subject"] = str(parcel.data.get("subject") or parcel.campaign)
        message["Date"] = format_datetime(moment(self._clock()))
        message["Message-ID"] = f"<{parcel.action_id}@zhiyin>"
        if leave := parcel.data.get("unsubscribe"):
            # One click without a page between, as RFC 8058 has it and large mail providers demand.
            message["List-Unsubscribe"] = f"<{leave}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(str(parcel.data.get("text", "")))
        if html := parcel.data.get("html"):
            message.add_alternative(str(html), subtype="html")
        return message


async def _submit(config: SmtpConfig, message: EmailMessage, where: str | None) -> Attempt:
    login: dict[str, Any] = (
        {"username": config.username, "password": config.password or ""} if config.username else {}
    )
    try:
        async with asyncio.timeout(_SUBMIT_SECONDS):
            await aiosmtplib.send(
                message,
                hostname=config.host,
                port=config.port,
                use_tls=config.security == "tls",
                start_tls=config.security == "starttls",
                timeout=_SECONDS,
                **login,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _recipient_refused(error, where)
    except aiosmtplib.SMTPAuthenticationError as error:
        return Retry(f"login refused: {error.code}")
    except aiosmtplib.SMTPResponseException as error:
        text = f"answered {error.code}"
        return Failed(text) if error.code >= _PERMANENT else Retry(text)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return Retry(f"{type(error).__name__}: {error}"[:300])
    return Sent()


def _recipient_refused(error: aiosmtplib.SMTPRecipientsRefused, where: str | None) -> Attempt:
    """There is one recipient. What servers say may repeat the address, so only the code is kept."""
    refusal = error.recipients[0] if error.recipients else None
    if refusal is None or refusal.code < _PERMANENT:
        return Retry("recipient deferred", ailing=False)
    dead = refusal.code in _NO_MAILBOX and not _NOT_THE_ADDRESS.match(refusal.message)
    return Failed(f"recipient refused: {refusal.code}", bounced=where if dead else None)
