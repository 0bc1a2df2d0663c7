"""How much one person may be addressed, and what becomes of a message that may not go out yet."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, field

from zhiyin.contracts.segments import Key

_Duration = Annotated[str, Meta(min_length=2, max_length=32)]
_Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class CapSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `max` messages of a purpose in any window of length `per`; on one channel, or on all.
    `any` counts marketing and care together; order notices never count."""

    per: _Duration
    max: Annotated[int, Meta(ge=0, le=1000)]
    channel: Key | None = None
    purpose: Literal["marketing", "care", "any"] = "marketing"


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True):
    """Local times `HH:MM` of the person (attribute `timezone`), else of the platform; `from` later
    than `to` spans midnight."""

    from_: _Clock = field(name="from")
    to: _Clock


class PressureSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one person may be addressed.

    - `quiet_hours` null: none
    - `holidays`: public holidays of the Chinese calendar are `ordinary` days, or `quiet` (no
      marketing all day), or have quiet hours of their own
    - `arbitration`: so long a message waits that would use up a cap, for more important ones; of
      all that came meanwhile the campaign of the highest priority is served first. Null: first
      come, first served
    """

    caps: Annotated[list[CapSpec], Meta(max_length=20)] = []
    quiet_hours: QuietHours | None = None
    holidays: Literal["ordinary", "quiet"] | QuietHours = "ordinary"
    arbitration: _Duration | None = None


class HoldingSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Whether a campaign's messages wait for quiet hours to end, or for room under the caps, or are
    dropped; `patience`: how long they wait at most."""

    quiet_hours: Literal["defer", "drop"] = "defer"
    caps: Literal["defer", "drop"] = "drop"
    patience: _Duration = "7d"


DEFAULT_PRESSURE: Final = PressureSpec(
    caps=[CapSpec("P7D", 3), CapSpec("P1D", 1)], quiet_hours=QuietHours("21:30", "09:00")
)
