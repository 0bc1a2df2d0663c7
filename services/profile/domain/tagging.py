"""What is remembered beside a person's tags."""

from typing import Final

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant

NEVER_ASKED: Final = -1


class Tagging(Struct, frozen=True, omit_defaults=True):
    """`flips`: tag → when its rule's answer may change by time alone; `timer_at`: when the
    person's timer is due; `revision`: of the tag set the tags were last brought up to."""

    revision: int = 0
    flips: dict[str, Instant] = {}
    timer_at: Instant | None = None


_decoder: Final = msgspec.msgpack.Decoder(Tagging)


def decode_tagging(packed: bytes) -> Tagging:
    return _decoder.decode(packed)
