"""Bodies of trying campaigns and segments on stored history."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

Moment = Annotated[datetime, Meta(tz=True)]


class SimulateSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`alongside`: whether the campaigns that are live compete with it for caps and slots."""

    from_: Moment = field(name="from")
    to: Moment
    alongside: Literal["live", "none"] = "live"


class SimulateSegmentSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule, as a tree or as text, tried as a segment."""

    from_: Moment = field(name="from")
    to: Moment
    rule: Any = None
    text: str | None = None
