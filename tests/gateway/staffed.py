"""Operators who sign in, for tests; and a clock that can be moved."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pyotp

from services.gateway.accounts import OperatorSpec
from tests.gateway.harness import Running
from zhiyin.contracts.instants import SECOND, Duration, Instant
from zhiyin.runtime.clock import wall_clock

PASSWORD = "correct horse battery staple"


@dataclass
class MovableClock:
    """The wall clock, so much further on."""

    ahead: Duration = field(default=0)

    def __call__(self) -> Instant:
        return wall_clock() + self.ahead


@dataclass
class Person:
    """An operator with a password of their own."""

    gateway: Running
    id: str
    email: str
    password: str = PASSWORD
    secret: str | None = None

    async def sign_in(self, **more: Any) -> httpx.Response:
        said = {"email": self.email, "password": self.password, **more}
        return await self.gateway.client.post("/v1/sessions", json=said)

    async def headers(self, **more: Any) -> dict[str, str]:
        """Of a new session."""
        answer = await self.sign_in(**more)
        assert answer.status_code == 201, answer.text
        return bearer(answer.json()["access_token"])

    def code(self, at: Instant) -> str:
        assert self.secret is not None
        return pyotp.TOTP(self.secret).at(at // SECOND)


async def somebody(gateway: Running, email: str, role: str = "viewer", *brands: str) -> Person:
    accounts = gateway.gateway.staff.accounts
    spec = OperatorSpec(email, "林悦", role, list(brands) or None)
    made = await accounts.create(spec, "test", must_change=False)
    await accounts.set_own_password(made.id, PASSWORD, None, "test")
    return Person(gateway, made.id, email)


async def with_codes(person: Person, now: Instant) -> list[str]:
    """Sets one-time codes up for them; their recovery codes."""
    client, headers = person.gateway.client, await person.headers()
    begun = await client.post("/v1/me/totp", headers=headers, json={"password": person.password})
    assert begun.status_code == 200, begun.text
    person.secret = begun.json()["secret"]
    confirmed = await client.post(
        "/v1/me/totp/confirm", headers=headers, json={"code": person.code(now)}
    )
    assert confirmed.status_code == 200, confirmed.text
    codes: list[str] = confirmed.json()["recovery_codes"]
    return codes


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def nobody_locked_out(gateway: Running) -> None:
    """Forget what was tried before."""
    await gateway.gateway.database.pool.execute("TRUNCATE sign_in_attempt")
