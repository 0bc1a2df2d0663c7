"""Tag rules: what operators define; and tags set by hand."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

TagName = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[^\s/\x00-\x1f]+$")]
Words = Annotated[str, Meta(max_length=200)]
Sentences = Annotated[str, Meta(max_length=2000)]


class TagRuleSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`rule` is checked by `zhiyin.rules.parse`. With `ttl` (`30d`) a tag is set when an event
    makes the rule match and lives until the last match + ttl; without, it holds exactly while the
    rule holds. `name` and `description` are in the brand's own language."""

    rule: Any
    ttl: Annotated[str, Meta(max_length=32)] | None = None
    name: Words = ""
    description: Sentences = ""
    name_en: Words = ""
    description_en: Sentences = ""


class TagRuleView(Struct, frozen=True):
    """A tag rule as it is in force; times in RFC 3339. `status`: `tagging` until everybody has been
    brought up to this version."""

    tag: str
    name: str
    rule: Any
    ttl: str | None
    version: int
    created_at: str
    updated_at: str
    status: Literal["tagging", "live"] = "live"
    description: str = ""
    name_en: str = ""
    description_en: str = ""


class TagProgress(Struct, frozen=True):
    """How far everybody has been brought up to the newest tag rules. `revision` goes up with every
    edit; `checked` of `people`, who are counted when it begins."""

    status: Literal["running", "done"]
    revision: int
    people: int
    checked: int
    started_at: str | None
    finished_at: str | None


class ManualTag(Struct, frozen=True, forbid_unknown_fields=True):
    """A tag set by hand stays until `until`, or until it is taken away."""

    until: datetime | None = None


class TagTrial(Struct, frozen=True, forbid_unknown_fields=True):
    """Would this rule, not in force, give this person its tag?"""

    rule: Any
    profile_id: Annotated[str, Meta(min_length=1, max_length=64)]


class TagExplanation(Struct, frozen=True):
    """Why a person has, or has not, a tag. `matches`: what the rule says at `as_of`; `held`: the
    tag as the profile shows it, None without it. `clauses`: each with its truth, what was found and
    the events that show it. The two differ while a ttl runs, or where a hand or an import has
    spoken."""

    tag: str | None
    profile_id: str
    matches: bool
    held: dict[str, Any] | None
    rule_version: int | None
    next_flip: str | None
    as_of: str
    clauses: dict[str, Any]


class ReadyTag(Struct, frozen=True):
    """A tag of the library. `installed`: the version of its rule in force, None without one."""

    tag: str
    group: str
    name: str
    name_en: str
    description: str
    description_en: str
    rule: Any
    ttl: str | None
    installed: int | None = None


class InstallSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Which tags of the library are to become tag rules: those named and those of the groups named;
    all where neither is. A rule of the same tag that says something else stays, unless `replace`.
    """

    tags: Annotated[list[TagName], Meta(max_length=500)] | None = None
    groups: Annotated[list[Words], Meta(max_length=100)] | None = None
    replace: bool = False


class Installed(Struct, frozen=True):
    """`installed`: new or changed; `unchanged`: in force already; `kept`: another rule of that tag
    stands and was left."""

    installed: list[str]
    unchanged: list[str]
    kept: list[str]
