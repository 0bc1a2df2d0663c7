"""Values in clear for our own services: e-mail needs an address, and each one is on record."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.engagement.domain.channels import Channel
from services.engagement.gateways import Gateways
from services.engagement.senders.addresses import Vault
from services.engagement.senders.parcel import Failed, Parcel, Sent
from services.engagement.senders.smtp import SmtpSender
from services.gateway.domain.door import Secret
from tests.gateway.harness import SECRET, Running, internal_headers
from tests.gateway.posted import a_purchase
from zhiyin.contracts.channels import SmtpConfig
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.http import internal_token

EMAIL = "zhang@example.com"
INSIDE = {**internal_headers(), "x-zhiyin-actor": "engagement"}


async def kept(gateway: Running, email: str = EMAIL) -> str:
    """The token of an email that is in the vault."""
    token = str(gateway.gateway.door.token("email", email))
    await gateway.gateway.vault.keep([Secret("email", token, email)])
    return token


async def reveal(gateway: Running, body: Any, headers: dict[str, str] = INSIDE) -> httpx.Response:
    return await gateway.client.post("/internal/reveal", headers=headers, json=body)


def asked(*tokens: str, **changes: Any) -> dict[str, Any]:
    return {"namespace": "email", "tokens": list(tokens), "reason": "delivery a-1", **changes}


async def test_a_service_gets_the_clear_value_and_that_is_on_record(gateway: Running) -> None:
    token, gone = await kept(gateway), str(gateway.gateway.door.token("email", "gone@example.com"))
    answer = await reveal(gateway, asked(token, gone, token))
    assert (answer.status_code, answer.json()) == (200, {"values": {token: EMAIL}})
    headers = await gateway.key("ops:read")
    trail = await gateway.client.get(f"/v1/audit?subject={token}", headers=headers)
    [entry] = trail.json()["items"]
    assert (entry["actor"], entry["action"]) == ("service:engagement", "vault.reveal")
    assert entry["detail"] == {"why": "delivery a-1", "namespace": "email"}
    assert EMAIL not in trail.text


@pytest.mark.parametrize("headers", [{}, {"x-zhiyin-internal": "guessed"}])
async def test_nobody_else_learns_that_it_exists(gateway: Running, headers: dict[str, str]) -> None:
    admin = await gateway.key("admin", "profiles:read_pii")
    answer = await reveal(gateway, asked(await kept(gateway)), {**admin, **headers})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "/internal/reveal" not in (await gateway.client.get("/openapi.json")).text


@pytest.mark.parametrize(
    "changes",
    [
        {"tokens": []},
        {"tokens": [EMAIL]},
        {"tokens": "em_x"},
        {"reason": ""},
        {"namespace": "openid"},
        {"reason": None},
    ],
)
async def test_what_is_asked_wrongly_is_refused(gateway: Running, changes: Any) -> None:
    answer = await reveal(gateway, {**asked(await kept(gateway)), **changes})
    assert answer.status_code == 422


async def test_who_does_not_say_who_it_is_gets_nothing(gateway: Running) -> None:
    answer = await reveal(gateway, asked(await kept(gateway)), internal_headers())
    assert (answer.status_code, answer.json()["code"]) == (400, "actor_missing")


class Mailbox:
    def __init__(self) -> None:
        self.letters: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        return "250 taken"


@asynccontextmanager
async def mail_server(box: Mailbox) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, loop=loop), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_letter_reaches_an_address_that_was_posted_with_an_event(gateway: Running) -> None:
    key = await gateway.key("events:write")
    customer = {"member_id": "M-letter", "email": "Li@Example.com"}
    await gateway.client.post("/v1/events", headers=key, json=a_purchase(customer=customer))
    [event] = await gateway.events("M-letter")
    vault = Vault(Gateways(gateway.client, ["http://gateway"], internal_token(SECRET)))
    box = Mailbox()
    async with mail_server(box) as port:
        config = SmtpConfig("127.0.0.1", "care@brand.example", port=port, security="none")
        channel = Channel("email", "smtp", msgspec.json.encode(config))
        sender = SmtpSender(vault, wall_clock)
        assert await sender.send(channel, parcel(event.customer["email"])) == Sent()
        erased = str(gateway.gateway.door.token("email", "erased@example.com"))
        assert isinstance(await sender.send(channel, parcel(erased)), Failed)
    assert [letter.rcpt_tos for letter in box.letters] == [["li@example.com"]]


def parcel(token: str) -> Parcel:
    data = {"subject": "您好", "text": "谢谢"}
    return Parcel(uuid.uuid4(), "p1", "c", "s", "message", data, (("email", token),), "")
