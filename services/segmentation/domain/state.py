"""What is remembered of a person's memberships between two evaluations."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant


class Standing(Struct, frozen=True, array_like=True):
    """Where a person stands in one segment: `since` None means outside. `next_flip`: the earliest
    instant at which that may change if nothing happens."""

    since: Instant | None
    version: int
    next_flip: Instant | None = None


# Neither in the segment nor about to be.
OUTSIDE: Final = Standing(None, 0)


class State(Struct, frozen=True, array_like=True):
    """`standings` holds only segments that match or have a finite `next_flip`. `revision`: the
    revision of the segment set that all of them were last evaluated under; `next_due`: when time
    alone may change a membership next."""

    revision: int = 0
    standings: dict[str, Standing] = {}
    next_due: Instant | None = None

    @property
    def members(self) -> set[str]:
        """Keys of the segments the person is in."""
        return {key for key, standing in self.standings.items() if standing.since is not None}


def state_of(revision: int, standings: dict[str, Standing]) -> State:
    return State(revision, standings, earliest_flip(standings))


def earliest_flip(standings: Mapping[str, Standing]) -> Instant | None:
    flips = [one.next_flip for one in standings.values() if one.next_flip is not None]
    return min(flips, default=None)


NOWHERE: Final = State()

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(State)


def encode_state(state: State) -> bytes:
    return _encoder.encode(state)


def decode_state(value: bytes) -> State:
    return _decoder.decode(value)
