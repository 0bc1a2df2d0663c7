"""Channel configurations at rest: sealed, because they hold passwords and signing secrets."""

import hashlib
import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12


def derived_key(secret_key: str, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose, from the platform's secret."""
    return hmac.new(secret_key.encode(), f"engagement {purpose}".encode(), hashlib.sha256).digest()


class Sealer:
    """AES-256-GCM; `bound_to` must be given again to open, so values cannot be swapped."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: bytes, bound_to: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, value, bound_to.encode())

    def open(self, sealed: bytes, bound_to: str) -> bytes:
        """Raises cryptography.exceptions.InvalidTag under another key."""
        return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to.encode())
