"""Signing in with a password and a one-time code."""

import hmac
from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta, Struct

from services.gateway.accounts import Accounts
from services.gateway.calls import Records
from services.gateway.passwords import Passwords
from services.gateway.second_factor import SecondFactor
from services.gateway.sessions import Opened, Sessions
from services.gateway.stores.attempts import AttemptStore
from services.gateway.stores.audit import Entry
from services.gateway.stores.operators import Operator, OperatorStore
from zhiyin.contracts.instants import SECOND
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem, current_trace

# Attempts that may fail before there is a wait; many people may share one network.
_FREE_PER_ACCOUNT: Final = 5
_FREE_PER_NETWORK: Final = 30
_NOBODY: Final = "anonymous"
Typed = Annotated[str, Meta(max_length=1024)]


class SignInSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`code`: the one-time code, or a recovery code. With `cookie` the tokens come as cookies that
    scripts cannot read, and are not in the answer."""

    email: Annotated[str, Meta(max_length=254)]
    password: Typed
    code: Annotated[str, Meta(max_length=64)] | None = None
    cookie: bool = False


class SigningIn:
    """`key` (32 bytes) hides whose attempts are counted."""

    def __init__(
        self,
        accounts: Accounts,
        store: OperatorStore,
        attempts: AttemptStore,
        passwords: Passwords,
        second: SecondFactor,
        sessions: Sessions,
        audit: Records,
        key: bytes,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._attempts = attempts
        self._passwords = passwords
        self._second = second
        self._sessions = sessions
        self._audit = audit
        self._key = key
        self._clock = clock

    async def sign_in(self, spec: SignInSpec, network: str) -> Opened:
        """Raises Problem: 401, 429 after too many attempts. Nothing tells whether there is such an
        account until its password is right."""
        email = self._accounts.token(spec.email)
        places = self._place("account", email), self._place("network", network)
        await self._count(places)
        operator = await self._store.by_email(email)
        stored = operator.password if operator is not None and operator.active else None
        right = await self._passwords.matches(stored, spec.password)
        if operator is None or not right:
            raise await self._refused(operator, email, network)
        if operator.totp_at is not None and spec.code is None:
            await self._attempts.undecided(*places)
            raise Problem(401, "code_required", "send the one-time code too, as `code`")
        if operator.totp_at is not None and not await self._second.right(operator, spec.code or ""):
            raise await self._refused(operator, email, network)
        await self._attempts.succeeded(*places)
        if stored is not None and self._passwords.outdated(stored):
            again = await self._passwords.hashed(spec.password)
            await self._store.set_password(operator.id, again, operator.must_change)
        return await self.opened(operator, "password", network)

    async def proved(self, operator: Operator, password: str, network: str) -> bool:
        """Whether it is their password, for somebody signed in who does what matters. Raises
        Problem (429)."""
        places = self._place("account", operator.email), self._place("network", network)
        await self._count(places)
        right = await self._passwords.matches(operator.password, password)
        if right:
            await self._attempts.succeeded(*places)
        return right

    async def opened(self, operator: Operator, method: str, network: str) -> Opened:
        """A session of somebody who has shown who they are."""
        detail = {"method": method, "network": network}
        await self._record(f"operator:{operator.id}", "sessions.create", operator.id, detail)
        await self._store.signed_in(operator.id, self._clock())
        return await self._sessions.open(operator.id, method, network)

    async def _count(self, places: tuple[bytes, bytes]) -> None:
        account, network = places
        free = {account: _FREE_PER_ACCOUNT, network: _FREE_PER_NETWORK}
        wait = await self._attempts.begin(free, self._clock())
        if wait:
            seconds = -(-wait // SECOND)
            message = f"too many attempts: wait {seconds} seconds"
            raise Problem(429, "too_many_attempts", message, retry_after=seconds)

    async def _refused(self, operator: Operator | None, email: str, network: str) -> Problem:
        subject = email if operator is None else operator.id
        await self._record(_NOBODY, "sessions.refused", subject, {"network": network})
        return Problem(401, "sign_in_refused", "e-mail address, password or code are not right")

    async def _record(self, actor: str, action: str, subject: str, detail: dict[str, str]) -> None:
        await self._audit.record(Entry(actor, action, subject, detail, current_trace.get()))

    def _place(self, kind: str, text: str) -> bytes:
        return hmac.new(self._key, f"{kind}\0{text}".encode(), sha256).digest()
