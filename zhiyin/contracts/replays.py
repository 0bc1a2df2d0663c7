"""People's lives as the platform would have come to know them, for trying campaigns on history.

The profile service tells them from its event log; whoever replays one sees at each step what was
known at that time and nothing later.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from zhiyin.contracts.instants import DAY, Duration, Instant
from zhiyin.contracts.profiles import Cause

# What came later than this after it happened was loaded as history, and is taken as if it had come
# at once; what came sooner is known from when it came.
LOADED_LATER: Final[Duration] = 7 * DAY


UNKNOWN: Final = Raw(b"\xc0")  # MessagePack's nil


class ReplayAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Lives from `since` until `until`, of people behind `after`."""

    since: Instant
    until: Instant
    after: Annotated[str, Meta(max_length=256)] = ""


class Step(Struct, frozen=True, array_like=True):
    """A change of a person. `snapshot`: MessagePack, of the person from then on; `cause` is empty
    where time alone has moved their tags."""

    at: Instant
    snapshot: Raw
    changed: tuple[str, ...]
    tags_added: tuple[str, ...]
    cause: tuple[Cause, ...]


class Life(Struct, frozen=True, array_like=True):
    """`before`: the person as known at `since`; `UNKNOWN` of somebody nobody knew yet."""

    profile_id: str
    before: Raw
    steps: list[Step]

    @property
    def known(self) -> bool:
        return bytes(self.before) != bytes(UNKNOWN)


class ReplayPage(Struct, frozen=True):
    """`next`: where the next page begins; None behind the last. `people`: how many there are."""

    lives: list[Life]
    next: str | None
    people: int


_page: Final = msgspec.msgpack.Decoder(ReplayPage)


def decode_replay_page(packed: bytes) -> ReplayPage:
    return _page.decode(packed)
