"""Coupon codes: 80 bits derived from a secret, written so that people can read them out."""

import hashlib
import hmac
import uuid
from typing import Final

# Crockford's base 32: no I, L, O, U.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}
_CONFUSED: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
_LENGTH: Final = 17  # 16 letters of 5 bits, and the check letter


def coupon_code(secret: bytes, action_id: uuid.UUID) -> str:
    """The code of the coupon an action issues. Without the secret nobody can guess one; with the
    same action it is the same, so issuing twice issues one."""
    digest = hmac.new(secret, b"coupon\0" + action_id.bytes, hashlib.sha256).digest()
    bits = int.from_bytes(digest[:10])
    letters = "".join(_ALPHABET[(bits >> shift) & 31] for shift in range(75, -1, -5))
    return letters + _check(letters)


def read_code(text: str) -> str | None:
    """The code somebody typed, in its normal form; None when it cannot be one."""
    if len(text) > 64:
        return None
    letters = text.upper().translate(_CONFUSED)
    if len(letters) != _LENGTH or any(letter not in _VALUES for letter in letters):
        return None
    return letters if _check(letters[:-1]) == letters[-1] else None


def _check(letters: str) -> str:
    """Luhn modulo 32: catches every wrong letter and most swapped neighbours."""
    total = 0
    for index, letter in enumerate(reversed(letters)):
        doubled = _VALUES[letter] * (2 - index % 2)
        total += doubled // 32 + doubled % 32
    return _ALPHABET[-total % 32]
