"""The channel of kind `smtp`: one plain-text message, its Message-ID the action's id."""

import asyncio
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final, Protocol

import aiosmtplib
import msgspec

from services.engagement.domain.channels import Channel
from services.engagement.senders.addresses import AddressUnavailable
from services.engagement.senders.parcel import Attempt, Failed, Parcel, Retry, Sent
from zhiyin.contracts.channels import SmtpConfig
from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import Clock

_SECONDS: Final = 15.0
_SUBMIT_SECONDS: Final = 60.0
_PERMANENT: Final = 500
_config: Final = msgspec.json.Decoder(SmtpConfig).decode


class AddressBook(Protocol):
    async def reveal(self, namespace: str, token: str, action_id: str) -> str | None: ...


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
        return await _submit(config, message)

    def _message(self, config: SmtpConfig, recipient: str, parcel: Parcel) -> EmailMessage:
        message = EmailMessage()
        message["From"] = config.sender
        message["To"] = recipient
        message["Subject"] = str(parcel.data.get("subject") or parcel.campaign)
        message["Date"] = format_datetime(moment(self._clock()))
        message["Message-ID"] = f"<{parcel.action_id}@zhiyin>"
        message.set_content(str(parcel.data.get("text", "")))
        return message


async def _submit(config: SmtpConfig, message: EmailMessage) -> Attempt:
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
        codes = [refused.code for refused in error.recipients]
        permanent = bool(codes) and min(codes) >= _PERMANENT
        return (
            Failed("recipient refused") if permanent else Retry("recipient deferred", ailing=False)
        )
    except aiosmtplib.SMTPAuthenticationError as error:
        return Retry(f"login refused: {error.code}")
    except aiosmtplib.SMTPResponseException as error:
        text = f"answered {error.code}"
        return Failed(text) if error.code >= _PERMANENT else Retry(text)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return Retry(f"{type(error).__name__}: {error}"[:300])
    return Sent()
