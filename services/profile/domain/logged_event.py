"""An event as it lies in our own event log: that of the topic, with what its words say."""

from typing import Final

import msgspec

from zhiyin.contracts.events import Event
from zhiyin.contracts.heard import Heard


class LoggedEvent(Event, frozen=True, omit_defaults=True):
    """`heard` was made out when the event came, and never again: see
    docs/decisions/0009-words-are-heard-once.md."""

    heard: Heard | None = None


_decoder: Final = msgspec.json.Decoder(LoggedEvent)


def decode_logged(value: bytes) -> LoggedEvent:
    """Raises msgspec.ValidationError or DecodeError."""
    return _decoder.decode(value)
