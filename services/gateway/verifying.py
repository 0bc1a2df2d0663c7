"""Walking along the audit trail to see whether it is as it was written."""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from services.gateway.domain.chain import START, Audited, Fault, Link, followed

_PAGE: Final = 2_000


class Verdict(Struct, frozen=True):
    """`through`: up to where it holds; `complete`: nothing comes behind it."""

    through: Link
    complete: bool
    fault: Fault | None = None


class Trail(Protocol):
    async def following(self, seq: int, limit: int) -> Sequence[Audited]: ...


async def verify(
    trail: Trail,
    kept: Link | None = None,
    place: Link = START,
    *,
    seconds: float | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Verdict:
    """Whether all behind `place` is unchanged and goes at least as far as `kept`, a head written
    down earlier. With `seconds` it stops after about so long, to be gone on with from `through`."""
    until = None if seconds is None else monotonic() + seconds
    while entries := await trail.following(place.seq, _PAGE):
        found = followed(place, entries, kept)
        if isinstance(found, Fault):
            return Verdict(place, complete=False, fault=found)
        place = found
        if until is not None and monotonic() >= until:
            return Verdict(place, complete=False)
    if kept is not None and kept.seq > place.seq:
        return Verdict(place, complete=True, fault=Fault(place.seq + 1, "cut_off"))
    return Verdict(place, complete=True)
