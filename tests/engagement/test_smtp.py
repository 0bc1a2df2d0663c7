"""E-mail through a real SMTP server, to an address that only the vault knows."""

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.engagement.domain.channels import Channel
from services.engagement.senders.parcel import Parcel, Retry, Sent
from services.engagement.senders.smtp import SmtpSender
from tests.builders import an_event
from tests.engagement.certificates import certified
from tests.engagement.harness import NOON, Addresses, Instance, a_change
from tests.engagement.test_delivery import delivering, settled
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.runtime.clock import wall_clock


@dataclass
class Mailbox:
    """`refusals` are answered first, one each."""

    refusals: list[str] = field(default_factory=list)
    letters: list[Envelope] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        self.letters.append(envelope)
        return "250 taken"


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    yield box
    server.close()


def relay_config(port: int, security: str = "none") -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "sender": "care@brand.example", "security": security}


async def send(instance: Instance, box: Mailbox, addresses: Addresses) -> None:
    instance.senders["smtp"] = SmtpSender(addresses, instance.clock)
    await instance.settings.put_channel("email", ChannelSpec("smtp", relay_config(box.port)))
    opened = an_event("support.opened", NOON, ticket_id="T-7", kind="complaint")
    identifiers = {"email": {"em_token": "z***@example.com"}}
    await instance.deliver(a_change([opened], identifiers=identifiers))
    async with delivering(instance):
        await settled(instance)


async def test_a_letter_goes_to_the_address_behind_the_token(
    instance: Instance, mailbox: Mailbox
) -> None:
    await send(instance, mailbox, Addresses({"em_token": "zhang@example.com"}))
    [letter] = mailbox.letters
    [decided] = instance.decided
    message = message_from_bytes(bytes(letter.content or b""))
    assert letter.rcpt_tos == ["zhang@example.com"]
    assert message["Message-ID"] == f"<{decided.action_id}@zhiyin>"
    assert str(make_header(decode_header(message["Subject"]))) == "我们收到了您的反馈"
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "T-7" in payload.decode()
    assert await instance.outcomes() == [("message", "sent", None)]


async def test_a_server_that_is_busy_and_a_vault_that_is_away_are_tried_again(
    instance: Instance, mailbox: Mailbox
) -> None:
    mailbox.refusals = ["451 busy", "421 closing"]
    await send(instance, mailbox, Addresses({"em_token": "zhang@example.com"}, away=1))
    assert len(mailbox.letters) == 1


async def test_a_letter_that_is_refused_for_good_has_failed(
    instance: Instance, mailbox: Mailbox
) -> None:
    mailbox.refusals = ["554 never"]
    await send(instance, mailbox, Addresses({"em_token": "zhang@example.com"}))
    assert await instance.outcomes() == [("message", "failed", "answered 554")]


async def test_an_erased_address_is_written_to_no_more(
    instance: Instance, mailbox: Mailbox
) -> None:
    await send(instance, mailbox, Addresses({}))
    assert mailbox.letters == []
    assert await instance.outcomes() == [("message", "failed", "the address has been erased")]


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_relay_is_spoken_to_in_secret_and_only_if_its_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    context, certificate = certified(tmp_path)
    sender = SmtpSender(Addresses({"em_token": "zhang@example.com"}), wall_clock)
    address = (("email", "em_token"),)
    parcel = Parcel(uuid.uuid4(), "p-1", "c", "0", "message", {"text": "您好"}, address, "")
    async with a_relay(context, security) as box:
        config = relay_config(box.port, security)
        channel = Channel("email", "smtp", msgspec.json.encode(config))
        refused = await sender.send(channel, parcel)
        assert isinstance(refused, Retry)
        assert "certificate" in refused.reason.lower()
        assert box.letters == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert await sender.send(channel, parcel) == Sent()
    assert [letter.rcpt_tos for letter in box.letters] == [["zhang@example.com"]]


@asynccontextmanager
async def a_relay(context: ssl.SSLContext, security: str) -> AsyncIterator[Mailbox]:
    """Takes nothing in clear."""
    box, loop = Mailbox(), asyncio.get_running_loop()
    later = {"tls_context": context, "require_starttls": True} if security == "starttls" else {}
    server = await loop.create_server(
        lambda: SMTP(box, loop=loop, **later),
        "127.0.0.1",
        0,
        ssl=context if security == "tls" else None,
    )
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box
