"""One-time codes (RFC 6238) and the recovery codes for who has lost their telephone."""

import secrets
from collections.abc import Sequence
from typing import Final

import pyotp
from msgspec import Struct
from pyotp.exceptions import OTPVerificationError

from services.gateway.accounts import TOTP
from services.gateway.domain.door import Secret
from services.gateway.domain.passwords import (
    RECOVERY_BYTES,
    RECOVERY_CODES,
    recovery_codes,
    recovery_digest,
)
from services.gateway.stores.operators import Operator, OperatorStore
from services.gateway.stores.vault import Vault
from zhiyin.contracts.instants import SECOND
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem

_ISSUER: Final = "Zhiyin"
# A telephone's clock may be half a minute off.
_STEPS_AROUND: Final = 1


class Enrolment(Struct, frozen=True):
    """`uri` is what an authenticator app reads from a QR code."""

    secret: str
    uri: str


class SecondFactor:
    def __init__(self, store: OperatorStore, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def begin(self, operator: Operator, email: str) -> Enrolment:
        """A new secret, in force once a code of it is confirmed. Raises Problem (409)."""
        if operator.totp_at is not None:
            raise _enrolled()
        secret = pyotp.random_base32()
        await self._vault.put(Secret(TOTP, operator.id, secret))
        uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER)
        return Enrolment(secret, uri)

    async def confirm(self, operator: Operator, code: str) -> Sequence[str] | None:
        """Recovery codes, shown this once; None if the code is wrong. Raises Problem (409)."""
        step = await self._step(operator.id, code)
        if operator.totp_at is not None:
            raise _enrolled()
        if step is None:
            return None
        codes, digests = _drawn()
        if not await self._store.enrol(operator.id, self._clock(), step, digests):
            raise _enrolled()
        return codes

    async def right(self, operator: Operator, code: str) -> bool:
        """Whether it is the code of the moment, taken for the first time, or a recovery code,
        which is used up."""
        if len(code) <= 8:
            step = await self._step(operator.id, code)
            return step is not None and await self._store.take_step(operator.id, step)
        return await self._store.use_recovery(operator.id, recovery_digest(code))

    async def new_recovery(self, operator: Operator) -> Sequence[str]:
        """Others in place of all there were."""
        codes, digests = _drawn()
        await self._store.set_recovery(operator.id, digests)
        return codes

    async def _step(self, operator_id: str, code: str) -> int | None:
        found = await self._vault.reveal(TOTP, [operator_id])
        if operator_id not in found:
            return None
        totp = pyotp.TOTP(found[operator_id])
        digits = "".join(code.split())
        try:
            return totp.verify_and_get_timecode(
                digits, for_time=self._clock() // SECOND, valid_window=_STEPS_AROUND
            )
        except OTPVerificationError:
            return None


def _drawn() -> tuple[Sequence[str], Sequence[bytes]]:
    codes = recovery_codes(secrets.token_bytes(RECOVERY_CODES * RECOVERY_BYTES))
    return codes, [recovery_digest(code) for code in codes]


def _enrolled() -> Problem:
    return Problem(409, "enrolled_already", "one-time codes are set up; remove them first")
