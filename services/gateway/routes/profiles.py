"""Profiles: read by the gateway itself, changed through the profile service."""

from typing import Any, Final

from msgspec import Struct

from services.gateway.calls import PAGE, Call, Query
from services.gateway.domain.names import names_masked_in
from services.gateway.domain.scopes import PROFILES_ANNOTATE
from services.gateway.prepare import ATTRIBUTES, IDENTIFIERS
from services.gateway.routes.of_profile import profile_call
from services.gateway.upstreams import ENGAGEMENT, SEGMENTATION
from zhiyin.contracts.merges import MergePreview, UnmergePreview
from zhiyin.contracts.notes import NoteSpec
from zhiyin.contracts.segments import SegmentOfProfile
from zhiyin.contracts.tag_rules import ManualTag
from zhiyin.runtime.web import Page

_AFTER: Final = Query("after", "a receipt: waits up to 2 s until its events are in the answer")
_WHY: Final = Query("reason", "why personal values are looked at; goes on record")
_TYPE: Final = Query("type", "only events of this type")
_PROFILE: Final = {
    "profile_id": "01975d3e-6a0c-7c55-8f5e-3f7f6a2f9d10",
    "version": 7,
    "identifiers": {"member_id": ["M1001"], "phone": ["138****1111"]},
    "orders": {"count": 3, "total": "777.00", "average": "259.00", "refunded": "0.00"},
    "rfm": {"r": 5, "f": 3, "m": 4, "class": "high_value_loyal"},
    "lifecycle": {"stage": "repeat", "since": "2026-11-11T00:00:03Z"},
    "segments": ["high-value-loyal"],
}


class MergeSpec(Struct, frozen=True):
    """Profile ids: `absorb` becomes an alias of `keep`."""

    keep: str
    absorb: str


class UnmergeSpec(Struct, frozen=True):
    """`identifiers` (`namespace:value`) leave this person and become one of their own, who is
    whoever they were before a merge; or `former`: a profile id of `merged_from` leaves with all
    that was theirs."""

    identifiers: list[str] = []
    former: str | None = None


class Commanded(Struct, frozen=True):
    """The command is recorded as an event; `?after=<receipt>` reads what came of it."""

    profile_id: str
    receipt: str
    accepted: int


_COMMAND: Final[dict[str, Any]] = {"status": 202, "answer": Commanded}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    return profile_call(method, path, name, summary, tag=name.partition(".")[0], **more)


SHOW: Final = _call(
    "GET", "profiles/{profile_id}", "profiles.show", "One profile as of now",
    query=(_AFTER, _WHY), answer_example=_PROFILE,
)  # fmt: skip
BY: Final = _call(
    "GET", "profiles/by/{namespace}/{value:path}", "profiles.by_identifier",
    "The profile an identifier belongs to; a raw phone or email is fine",
    query=(_AFTER, _WHY), answer_example=_PROFILE,
)  # fmt: skip
CALLS: Final = (
    _call(
        "POST", "profiles/merge", "profiles.merge", "These two are one person",
        body=MergeSpec, example={"keep": "…", "absorb": "…"}, creates=True, **_COMMAND,
    ),
    _call(
        "POST", "profiles/{profile_id}/unmerge", "profiles.unmerge",
        "These identifiers are somebody else's",
        body=UnmergeSpec, example={"identifiers": ["phone:+8613800001111"]},
        prepare=IDENTIFIERS, creates=True, **_COMMAND,
    ),
    _call(
        "POST", "profiles/merge/preview", "profiles.merge.preview", "What a merge would do",
        body=MergeSpec, example={"keep": "…", "absorb": "…"}, changes=False, answer=MergePreview,
    ),
    _call(
        "POST", "profiles/{profile_id}/unmerge/preview", "profiles.unmerge.preview",
        "What would move", body=UnmergeSpec, example={"former": "…"}, prepare=IDENTIFIERS,
        changes=False, answer=UnmergePreview,
    ),
    _call(
        "GET", "profiles/{profile_id}/timeline", "profiles.timeline", "What happened, newest first",
        query=(*PAGE, _TYPE), mask=names_masked_in,
    ),
    _call(
        "GET", "profiles/{profile_id}/segments", "profiles.segments", "Segments of a person",
        service=SEGMENTATION, answer=Page[SegmentOfProfile],
    ),
    _call(
        "GET", "profiles/{profile_id}/actions", "profiles.actions",
        "What was decided, sent, or skipped and why", service=ENGAGEMENT, query=PAGE,
        mask=names_masked_in,
    ),
    _call(
        "GET", "profiles/{profile_id}/coupons", "profiles.coupons", "Coupons of a person",
        service=ENGAGEMENT, query=PAGE,
    ),
    _call(
        "PUT", "profiles/{profile_id}/tags/{tag}", "profiles.tag", "Set a tag by hand",
        or_scope=PROFILES_ANNOTATE,
        body=ManualTag, body_optional=True, example={"until": "2027-01-01T00:00:00+08:00"},
        **_COMMAND,
    ),
    _call(
        "DELETE", "profiles/{profile_id}/tags/{tag}", "profiles.untag", "Take a tag away",
        or_scope=PROFILES_ANNOTATE,
        **_COMMAND,
    ),
    _call(
        "PUT", "profiles/{profile_id}/notes/{note_id}", "profiles.note",
        "Write down what staff should heed with every order, or with the next",
        or_scope=PROFILES_ANNOTATE,
        body=NoteSpec, example={"text": "不吃香菜", "kind": "taste_taboo"}, prepare=ATTRIBUTES,
        **_COMMAND,
    ),
    _call(
        "DELETE", "profiles/{profile_id}/notes/{note_id}", "profiles.unnote", "Take a note back",
        or_scope=PROFILES_ANNOTATE,
        **_COMMAND,
    ),
    _call(
        "PATCH", "profiles/{profile_id}/attributes", "profiles.attributes", "Correct attributes",
        or_scope=PROFILES_ANNOTATE,
        body=dict[str, Any], example={"city": "杭州"}, prepare=ATTRIBUTES, **_COMMAND,
    ),
)  # fmt: skip
