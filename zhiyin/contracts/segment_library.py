"""The library of ready segments: what is on the shelf, and taking it from there."""

from typing import Annotated, Any

from msgspec import Meta, Struct

Named = Annotated[str, Meta(max_length=200)]


class ReadySegment(Struct, frozen=True):
    """A segment of the library; its `names` and `descriptions` in `zh` and `en`. `text`: the rule
    as people write it. `standard`: there from the first start. `installed`: the version of its key
    in force, None without one."""

    key: str
    group: str
    names: dict[str, str]
    descriptions: dict[str, str]
    rule: Any
    text: str
    standard: bool
    installed: int | None = None


class SegmentInstallSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Which are to be installed: those named and those of the groups named, with whatever segments
    they read; all where neither is."""

    keys: Annotated[list[Named], Meta(max_length=500)] | None = None
    groups: Annotated[list[Named], Meta(max_length=100)] | None = None


class InstalledSegments(Struct, frozen=True):
    """`installed`: new; `unchanged`: in force already; `kept`: another rule under that key stands
    and was left."""

    installed: list[str]
    unchanged: list[str]
    kept: list[str]
