"""The gateway's own keys, each for one purpose, derived from secrets it is given."""

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_BYTES: Final = 32
FIRST_MASTER: Final = 1


class Keyring:
    """`masters`: the vault's master keys by version. The first derives from the platform's
    secret, each later one from a secret of its own (`ZHIYIN_MASTER_KEYS`)."""

    def __init__(self, secret: str, later_masters: Mapping[int, str]) -> None:
        self.tokens = derived(secret, "tokens")
        self.sessions = derived(secret, "sessions")
        self.flows = derived(secret, "sign-in flows")
        self.operators = derived(secret, "operators")
        self.answers = derived(secret, "idempotent answers")
        secrets = {FIRST_MASTER: secret, **later_masters}
        self.masters: Mapping[int, bytes] = {
            version: derived(text, f"vault master {version}") for version, text in secrets.items()
        }


def derived(secret: str, purpose: str) -> bytes:
    """32 bytes by HKDF-SHA256 (RFC 5869); different purposes give unrelated keys."""
    info = f"zhiyin gateway {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=_BYTES, salt=None, info=info).derive(secret.encode())
