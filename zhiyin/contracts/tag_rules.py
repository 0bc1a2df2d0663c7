"""Tag rules: what operators define; and tags set by hand."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

TagName = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\s/\x00-\x1f]+$")]


class TagRuleSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`rule` is checked by `zhiyin.rules.parse`. With `ttl` (`30d`) a tag is set when an event
    makes the rule match and lives until the last match + ttl; without, it holds exactly while the
    rule holds."""

    rule: Any
    ttl: Annotated[str, Meta(max_length=32)] | None = None
    name: Annotated[str, Meta(max_length=200)] = ""


class TagRuleView(Struct, frozen=True):
    """A tag rule as it is in force; times in RFC 3339."""

    tag: str
    name: str
    rule: Any
    ttl: str | None
    version: int
    created_at: str
    updated_at: str


class ManualTag(Struct, frozen=True, forbid_unknown_fields=True):
    """A tag set by hand stays until `until`, or until it is taken away."""

    until: datetime | None = None
