"""Messages WeChat pushes: their signature, and their encryption in safe mode.

https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/Before_Develop/Technical_Plan.html
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from services.engagement.callbacks.heard import Unsigned

_BLOCK: Final = 32
_RANDOM: Final = 16
_LENGTH: Final = 4


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def check(given: str, *parts: str) -> None:
    """Raises Unsigned."""
    if not hmac.compare_digest(given.encode(), signature(*parts).encode()):
        raise Unsigned("the signature does not fit")


def opened(encrypted: str, encoding_aes_key: str, app_id: str) -> bytes:
    """The message inside: 16 random bytes, its length, itself, and whom it is for. Raises
    Unsigned."""
    try:
        key = base64.b64decode(encoding_aes_key + "=")
        sealed = base64.b64decode(encrypted, validate=True)
        decryptor = Cipher(AES(key), CBC(key[:16])).decryptor()
        plain = decryptor.update(sealed) + decryptor.finalize()
    except (binascii.Error, ValueError) as error:
        raise Unsigned("the message cannot be opened") from error
    padding = plain[-1] if plain else 0
    if not 1 <= padding <= _BLOCK:
        raise Unsigned("the message cannot be opened")
    body = plain[_RANDOM:-padding]
    length = int.from_bytes(body[:_LENGTH])
    message, whose = body[_LENGTH : _LENGTH + length], body[_LENGTH + length :]
    if whose.decode(errors="replace") != app_id:
        raise Unsigned("the message is for another app")
    return message
