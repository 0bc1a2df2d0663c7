"""The platform's own fold as one function over bytes, for the peer to run."""

from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from services.profile.domain.fold import NOBODY, Folded, fold
from services.profile.domain.packed import PackedFacts
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Reader
from zhiyin.contracts.profiles import encode

CURRENCY: Final = "CNY"
_END_OF_TIME: Final = 1 << 60
_reader: Final = Reader(CURRENCY, ZoneInfo("Asia/Shanghai"))
_decoder: Final = msgspec.msgpack.Decoder(PackedFacts)


def folded(facts: bytes | None, value: bytes) -> bytes:
    """Facts as bytes with one more event, as bytes, in them."""
    event = _reader.read(value, _END_OF_TIME)
    if not isinstance(event, PersonEvent):
        raise TypeError(event.reason)
    after = fold(_decoder.decode(facts) if facts else NOBODY, [event], PLAIN)
    if not isinstance(after, Folded):
        raise TypeError("the stream leaves the exact window")
    return encode(after.facts)
