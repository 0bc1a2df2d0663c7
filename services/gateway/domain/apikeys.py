"""API keys: `zk_` + id (12) + secret (40 hex digits, 160 bits) + checksum (8)."""

import hashlib
import re
import zlib
from typing import Final, NamedTuple

RANDOM_BYTES: Final = 26
_KEY = re.compile(r"zk_([0-9a-f]{12})([0-9a-f]{40})([0-9a-f]{8})")


class NewKey(NamedTuple):
    """`text` is shown once and never kept; `digest` (SHA-256) is."""

    id: str
    text: str
    digest: bytes


def new_key(random: bytes) -> NewKey:
    """A key from `RANDOM_BYTES` random bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"a key is made from {RANDOM_BYTES} bytes")
    body = random.hex()
    text = f"zk_{body}{_checksum(body)}"
    return NewKey(body[:12], text, digest(text))


def key_id(text: str) -> str | None:
    """The id of a well-formed key: anything mistyped is known without asking the database."""
    found = _KEY.fullmatch(text)
    if found is None or found[3] != _checksum(found[1] + found[2]):
        return None
    return found[1]


def digest(text: str) -> bytes:
    """What is stored. A plain hash is enough: the secret has 160 random bits."""
    return hashlib.sha256(text.encode()).digest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
