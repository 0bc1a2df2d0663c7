"""E-mail through a real SMTP server, to an address that only the vault knows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.engagement.senders.smtp import SmtpSender
from tests.builders import an_event
from tests.engagement.harness import NOON, Addresses, Instance, a_change
from tests.engagement.test_delivery import delivering, settled
from zhiyin.contracts.campaigns import ChannelSpec


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


async def send(instance: Instance, box: Mailbox, addresses: Addresses) -> None:
    instance.senders["smtp"] = SmtpSender(addresses, instance.clock)
    config: dict[str, Any] = {
        "host": "127.0.0.1", "port": box.port, "sender": "care@brand.example", "security": "none",
    }  # fmt: skip
    await instance.settings.put_channel("email", ChannelSpec("smtp", config))
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
