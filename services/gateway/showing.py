"""Profiles as they are shown to callers who may not see personal values, kept while they stand.

Whoever is read is often read again within minutes: a page of a mini-program asks for several
things. A profile is shown as before while Redis holds the same bytes of the person and no instant
has passed at which time changes what is said. It is not kept for longer than ten minutes.
"""

from collections.abc import Collection, Mapping
from datetime import tzinfo
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.gateway.hot import Hot
from services.gateway.people import Person, Who
from services.gateway.unmasking import masked
from zhiyin.contracts.instants import MINUTE, Instant, rfc3339
from zhiyin.facts import profile_view, stands_until

_AS_OF: Final = b'"as_of":"'
_MOST_KEPT: Final = 4096  # of some 10 KB each
_LONGEST: Final = 10 * MINUTE
_encoder: Final = msgspec.json.Encoder()


class Shown(Struct, frozen=True):
    """A profile's JSON but for the instant it is as of; `etag` says whether it is the same."""

    before: bytes
    after: bytes
    etag: str

    def at(self, now: Instant) -> bytes:
        return self.before + rfc3339(now).encode() + self.after


class _Kept(Struct, frozen=True):
    hot: Hot
    identifiers: Mapping[str, Collection[str]]
    since: Instant
    until: Instant
    shown: Shown


class Showing:
    """`zone`: the platform's, in which days begin."""

    def __init__(self, currency: str, zone: tzinfo) -> None:
        self._currency = currency
        self._zone = zone
        self._kept: dict[str, _Kept] = {}

    def again(self, hot: Hot, now: Instant, who: Who) -> Shown | None:
        """What was shown of the person, if it would be the same now and the identifier by which
        they are asked for is theirs."""
        kept = self._kept.get(hot.profile_id)
        if kept is None:
            return None
        if kept.hot != hot or not kept.since <= now < kept.until:
            del self._kept[hot.profile_id]
            return None
        if not isinstance(who, str) and who[1] not in kept.identifiers.get(who[0], ()):
            return None
        return kept.shown

    def first(self, person: Person, now: Instant) -> Shown:
        """The person as shown now, to be shown again while it stands."""
        shown = shown_of(masked(self.view(person, now)))
        if person.hot is not None:
            flip = stands_until(person.snapshot, now, zone=self._zone)
            until = now + _LONGEST if flip is None else min(flip, now + _LONGEST)
            identifiers = person.snapshot.facts.identifiers
            self._keep(_Kept(person.hot, identifiers, now, until, shown))
        return shown

    def _keep(self, kept: _Kept) -> None:
        self._kept.pop(kept.hot.profile_id, None)
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) < _MOST_KEPT and self._kept[oldest].since > kept.since - _LONGEST:
                break
            del self._kept[oldest]
        self._kept[kept.hot.profile_id] = kept

    def view(self, person: Person, now: Instant) -> dict[str, Any]:
        return profile_view(
            person.snapshot, person.segments, now, currency=self._currency, zone=self._zone
        )


def shown_of(view: dict[str, Any]) -> Shown:
    before, _, rest = _encoder.encode(view).partition(_AS_OF)
    after = rest[rest.index(b'"') :]
    digest = blake2b(after, digest_size=12, key=blake2b(before).digest()).hexdigest()
    return Shown(before + _AS_OF, after, f'W/"{digest}"')
