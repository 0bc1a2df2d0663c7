"""What a password must be, and other secrets people type."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

LEAST: Final = 12
MOST: Final = 256
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
_NOT_IN_CODE: Final = re.compile(r"[^0-9a-z]")


def normal(password: str) -> str:
    """However a keyboard composes its characters, it is the same password (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, email: str) -> str | None:
    """Why a new password is refused; length is what counts."""
    text = normal(password)
    if len(text) < LEAST:
        return f"at least {LEAST} characters"
    if len(text) > MOST:
        return f"at most {MOST} characters"
    if len(set(text)) < 5:
        return "more different characters"
    name = email.partition("@")[0].casefold()
    if len(name) >= 4 and name in text.casefold():
        return "not one with the e-mail address in it"
    return None


def recovery_codes(random: bytes) -> Sequence[str]:
    """Ten codes of 80 bits each, such as `3f2a9-c01b7-44d0e-9a6f2`, from 100 random bytes."""
    digits = [random[n : n + RECOVERY_BYTES].hex() for n in range(0, len(random), RECOVERY_BYTES)]
    return ["-".join(text[n : n + 5] for n in range(0, 20, 5)) for text in digits]


def recovery_digest(code: str) -> bytes:
    """What is stored of one: 80 random bits need no slow hash."""
    return hashlib.sha256(_NOT_IN_CODE.sub("", code.lower()).encode()).digest()
