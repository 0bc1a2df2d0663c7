"""The gateway's own keys, all derived from the platform's secret, each for one purpose."""

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES: Final = 32
_MASTER: Final = 1


class Keyring:
    """`masters` are the vault's master keys by version; new values are sealed under `newest`."""

    def __init__(self, secret: str) -> None:
        self.tokens = derived(secret, "tokens")
        self.answers = derived(secret, "idempotent answers")
        self.masters: Mapping[int, bytes] = {_MASTER: derived(secret, f"vault master {_MASTER}")}
        self.newest = max(self.masters)


def derived(secret: str, purpose: str) -> bytes:
    """32 bytes by HKDF-SHA256 (RFC 5869); different purposes give unrelated keys."""
    info = f"zhiyin gateway {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=info).derive(secret.encode())
