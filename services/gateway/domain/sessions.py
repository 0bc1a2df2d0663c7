"""Sessions of signed-in operators, and the tokens that stand for them.

An access token is `zs_` + session id (24 hex digits) + its end (seconds, 8) + MAC (40): to check
it takes no lookup, but whether its session goes on does. A refresh token is `zr_` + session id +
secret (48 hex digits, 192 bits), of which a hash is stored, and is good for one refresh.
"""

import hashlib
import hmac
import re
from typing import Final, Literal, NamedTuple

from msgspec import Struct

from zhiyin.contracts.instants import HOUR, MINUTE, SECOND, Duration, Instant

ID_BYTES: Final = 12
SECRET_BYTES: Final = 24
# Two tabs of one console may refresh at the same time: only a token used up longer ago is a theft.
SAME_REFRESH: Final[Duration] = 20 * SECOND
_ACCESS: Final = re.compile(r"zs_(([0-9a-f]{24})([0-9a-f]{8}))([0-9a-f]{40})")
_REFRESH: Final = re.compile(r"zr_([0-9a-f]{24})[0-9a-f]{48}")
_MAC_DIGITS: Final = 40


class Lasting(Struct, frozen=True):
    """How long things last: an access token, a session nobody uses, any session."""

    access: Duration = 15 * MINUTE
    idle: Duration = 30 * MINUTE
    session: Duration = 12 * HOUR


class Session(Struct, frozen=True):
    """A session that was not ended, with what its operator is now. `role` decides the scopes."""

    id: str
    operator_id: str
    role: str
    brands: frozenset[str] | None
    method: str
    must_change: bool
    totp: bool
    seen_at: Instant
    ends_at: Instant


Must = Literal["change_password", "enrol_totp"]


class Refresh(NamedTuple):
    session_id: str
    text: str
    digest: bytes


class AccessTokens:
    """Tokens under one key (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def made(self, session_id: str, ends_at: Instant) -> str:
        body = f"{session_id}{ends_at // SECOND:08x}"
        return f"zs_{body}{self._mac('access', body)}"

    def session_of(self, text: str, now: Instant) -> str | None:
        """The session an access token is of; None if it is not ours or has ended."""
        found = _ACCESS.fullmatch(text)
        if found is None or not hmac.compare_digest(found[4], self._mac("access", found[1])):
            return None
        return found[2] if now < int(found[3], 16) * SECOND else None

    def csrf(self, session_id: str) -> str:
        """What a page must send along with its cookie: another site cannot know it."""
        return self._mac("csrf", session_id)

    def _mac(self, purpose: str, text: str) -> str:
        mac = hmac.new(self._key, f"{purpose}\0{text}".encode(), "sha256")
        return mac.hexdigest()[:_MAC_DIGITS]


def new_refresh(session_id: str, random: bytes) -> Refresh:
    """From `SECRET_BYTES` random bytes."""
    text = f"zr_{session_id}{random.hex()}"
    return Refresh(session_id, text, digest(text))


def read_refresh(text: str) -> Refresh | None:
    found = _REFRESH.fullmatch(text)
    return None if found is None else Refresh(found[1], text, digest(text))


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def still_to_do(session: Session, *, totp_required: bool) -> tuple[Must, ...]:
    """What an operator has to do before anything else is open to them."""
    must: list[Must] = []
    if session.must_change:
        must.append("change_password")
    if totp_required and session.method == "password" and not session.totp:
        must.append("enrol_totp")
    return tuple(must)


def goes_on(seen_at: Instant, ends_at: Instant, lasting: Lasting, now: Instant) -> bool:
    """Whether a session has neither been idle for too long nor come to its end."""
    return now < ends_at and now < seen_at + lasting.idle
