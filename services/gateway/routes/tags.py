"""Tags: their rules, why somebody has one, the library of ready ones; by the profile service."""

from functools import partial
from typing import Final

from services.gateway.calls import PAGE
from services.gateway.domain.scopes import PROFILES_READ
from services.gateway.routes.of_profile import profile_call
from zhiyin.contracts.tag_rules import (
    Installed,
    InstallSpec,
    ReadyTag,
    TagExplanation,
    TagProgress,
    TagRuleSpec,
    TagRuleView,
    TagTrial,
)
from zhiyin.runtime.web import Page

_RULE: Final = {
    "count": {"event": "browse.viewed", "where": {"category": "健身"}, "within": "7d"},
    "op": "gte",
    "value": 3,
}
_SPEC: Final = {"rule": _RULE, "ttl": "30d", "name": "健身爱好者", "name_en": "Fitness fan"}

_call: Final = partial(profile_call, tag="tags")

CALLS: Final = (
    _call(
        "GET", "tag-rules", "tag-rules.list", "All tag rules", query=PAGE,
        answer=Page[TagRuleView],
    ),
    _call(
        "POST", "tag-rules/test", "tag-rules.test",
        "Would a rule that is not in force give this person its tag, and why",
        scope=PROFILES_READ, changes=False, body=TagTrial,
        example={"rule": _RULE, "profile_id": "…"}, answer=TagExplanation,
    ),
    _call("GET", "tag-rules/{tag}", "tag-rules.show", "One tag rule", answer=TagRuleView),
    _call(
        "PUT", "tag-rules/{tag}", "tag-rules.put", "Define when a tag is set, and for how long",
        body=TagRuleSpec, example=_SPEC, answer=TagRuleView, or_status=201,
    ),
    _call("DELETE", "tag-rules/{tag}", "tag-rules.delete", "End a tag rule", status=204),
    _call(
        "GET", "tag-rules/{tag}/explain/{profile_id}", "tag-rules.explain",
        "Why a person has, or has not, a tag", answer=TagExplanation,
    ),
    _call(
        "GET", "tagging", "tagging.progress",
        "How far everybody has been brought up to the newest tag rules", answer=TagProgress,
    ),
    _call(
        "GET", "tag-library", "tag-library.list", "Tags ready to be installed",
        answer=Page[ReadyTag],
    ),
    _call(
        "POST", "tag-library/install", "tag-library.install",
        "Make tags of the library tag rules: those named, or all",
        body=InstallSpec, body_optional=True, example={"groups": ["gift"]}, answer=Installed,
    ),
)  # fmt: skip
