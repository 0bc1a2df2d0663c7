"""Keyed tokens that stand for phone and email everywhere but in the vault."""

import base64
import hmac
import re
from collections.abc import Mapping
from typing import Final

_PREFIX: Final[Mapping[str, str]] = {"phone": "ph_", "email": "em_"}
_BYTES: Final = 18  # 144 bits: no collisions among any number of people, 24 characters
_TOKEN = re.compile(r"(?:ph|em)_[A-Za-z0-9_-]{24}")


class Tokens:
    """Tokens under one key (32 bytes). The same value always gives the same token."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")

    def token(self, namespace: str, value: str) -> str:
        """`ph_…` or `em_…`, url-safe. Raises KeyError for a namespace that is not personal."""
        mac = self._keyed.copy()
        mac.update(f"{namespace}\0{value}".encode())
        text = base64.urlsafe_b64encode(mac.digest()[:_BYTES]).decode()
        return _PREFIX[namespace] + text


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None
