"""Segments: what operators define and what travels when somebody enters or leaves."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from zhiyin.contracts.instants import Instant

KEY_PATTERN: Final = "^[a-z0-9][a-z0-9._-]{0,62}$"
Key = Annotated[str, Meta(pattern=KEY_PATTERN)]


class SegmentSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Either `rule` (checked by `zhiyin.rules.parse`) or `text` (by `parse_text`).
    `trigger_entries`: whoever the backfill sorts in or out sets off campaigns as if it had just
    happened; without it a backfill sets off none."""

    key: Key
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    rule: Any = None
    description: Annotated[str, Meta(max_length=2000)] = ""
    trigger_entries: bool = False
    text: str | None = None


class SegmentUpdate(Struct, frozen=True, forbid_unknown_fields=True):
    """What `PUT` replaces. `key`, if given, must be the one of the path. A changed rule makes a
    new version; without one only the words change."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    rule: Any = None
    description: Annotated[str, Meta(max_length=2000)] = ""
    key: str | None = None
    trigger_entries: bool = False
    text: str | None = None


class PreviewSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Either `rule` or `text`."""

    rule: Any = None
    text: str | None = None


class SegmentProgress(Struct, frozen=True):
    """People looked at so far, of all there are."""

    seen: int
    total: int


class SegmentView(Struct, frozen=True):
    """A segment as it is shown. `count` is exact; while `backfilling` it grows towards the whole.
    `progress` is null once live. `text`: the rule as people write it; `names` and `descriptions`
    in `zh` and `en`, and the `group`, of one from the library that goes by its own name."""

    key: str
    name: str
    description: str
    rule: Any
    version: int
    status: Literal["backfilling", "live"]
    count: int
    builtin: bool
    created_at: str
    updated_at: str
    progress: SegmentProgress | None
    text: str = ""
    names: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    group: str | None = None


class Preview(Struct, frozen=True):
    """`count` of `population` people match at `as_of`; `sample`: up to 20 profile ids;
    `reachable`: channel → how many of them marketing can and may reach there, `any` over all.

    As a stream (`Accept: application/x-ndjson`) there is a line of this kind several times a
    second, of the people looked at so far; the last one says `done`."""

    count: int
    population: int
    sample: list[str]
    reachable: dict[str, int]
    took_ms: float
    as_of: str
    done: bool = True


class OverlapSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Two or three different segments."""

    segments: Annotated[list[Key], Meta(min_length=2, max_length=3)]


class Region(Struct, frozen=True):
    """People who are in all of `inside`, and in none of the other segments asked about."""

    inside: list[str]
    count: int


class Overlap(Struct, frozen=True):
    """`regions`: every part that has anybody in it; together they are the `union`."""

    counts: dict[str, int]
    regions: list[Region]
    union: int
    took_ms: float
    as_of: str


class SegmentMember(Struct, frozen=True):
    profile_id: str
    since: str
    rule_version: int


class SegmentMove(Struct, frozen=True):
    """`at`: when it became true; `decided_at`: when it was told."""

    profile_id: str
    change: Literal["entered", "left"]
    at: str
    decided_at: str
    cause: str
    rule_version: int


class SegmentSize(Struct, frozen=True):
    """A day (in the platform's time zone) on which somebody came or went; `count` at its end."""

    day: str
    entered: int
    left: int
    count: int


class SegmentHistory(Struct, frozen=True):
    """`items`: newest first; `sizes`: oldest first, the newest 400 days with a change."""

    items: list[SegmentMove]
    next_cursor: str | None
    sizes: list[SegmentSize]


class EvidenceEvent(Struct, frozen=True):
    event_id: str
    type: str
    at: str
    source: str


class ReadSegment(Struct, frozen=True):
    """A segment that the explained one reads."""

    segment: str
    rule_version: int
    matches: bool
    next_flip: str | None
    sentence: dict[str, str]
    clauses: Any


class SegmentExplanation(Struct, frozen=True):
    """`clauses`: the rule with its truth, clause by clause. `member` and `since` say what has been
    told, `matches` what the rule says at `as_of`; they differ only while `pending`.

    - `next_flip`, `next_change`: when it turns if no event arrives, and whether the person then
      has `entered` or `left`
    - `sentence`: all of it in one, in `zh` and `en`
    - `events`: the events that are evidence, newest first
    - `segments`: the same for each segment the rule reads, however far removed
    """

    segment: str
    profile_id: str
    matches: bool
    member: bool
    pending: bool
    since: str | None
    rule_version: int
    next_flip: str | None
    as_of: str
    clauses: Any
    next_change: Literal["entered", "left"] | None = None
    sentence: dict[str, str] = {}
    events: list[EvidenceEvent] = []
    segments: list[ReadSegment] = []


class SegmentOfProfile(Struct, frozen=True):
    segment: str
    name: str
    since: str
    rule_version: int


class SegmentChanged(Struct, frozen=True, omit_defaults=True):
    """`at` is the instant at which it became true (the flip itself when time caused it);
    `decided_at` when we said so. Only `event` and `time` enter people into campaigns, and an
    `event` that was `imported` does not; `backfill` and `rule` do if `asked`."""

    message_id: str
    profile_id: str
    segment: str
    change: Literal["entered", "left"]
    at: Instant
    decided_at: Instant
    cause: Literal["event", "time", "backfill", "rule", "merge", "erasure"]
    rule_version: int
    profile_version: int
    event_ids: tuple[str, ...] = ()
    imported: bool = False
    received_at: Instant | None = None  # of the newest causing event at the gateway
    asked: bool = False  # a backfill that was to set off campaigns

    @property
    def news(self) -> bool:
        """Whether it is news about the person, which campaigns may answer."""
        return self.cause in ("event", "time") or self.asked


_decoder = msgspec.msgpack.Decoder(SegmentChanged)


def decode_segment_changed(value: bytes) -> SegmentChanged:
    return _decoder.decode(value)
