"""How long a text message is, as Chinese carriers count: every character is one, the signature in
its brackets too; up to 70 are one message, and longer ones are sent in parts of 67."""

from typing import Final

from msgspec import Struct

_SINGLE: Final = 70
_PART: Final = 67


class SmsLength(Struct, frozen=True):
    characters: int
    parts: int
    left: int  # characters that still fit into the last part


def sms_length(text: str, signature: str) -> SmsLength:
    said = f"【{signature}】{text}" if signature else text
    characters = len(said.encode("utf-16-le")) // 2  # beyond the basic plane (emoji) one is two
    if characters <= _SINGLE:
        return SmsLength(characters, 1, _SINGLE - characters)
    parts = -(-characters // _PART)
    return SmsLength(characters, parts, parts * _PART - characters)
