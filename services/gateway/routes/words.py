"""What customers say in words: the lexicon, and trying it out; by the profile service."""

from typing import Any, Final

from services.gateway.calls import PAGE, Call
from services.gateway.domain.scopes import PROFILES_READ, PROFILES_WRITE
from services.gateway.upstreams import PROFILE
from zhiyin.contracts.heard import Heard
from zhiyin.contracts.words import KeywordPut, KeywordSpec, KeywordView, TextModelView, TextSpec
from zhiyin.runtime.web import Page


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    scope = PROFILES_READ if method == "GET" else PROFILES_WRITE
    return Call(
        method=method,
        path=f"/v1/{path}",
        name=name,
        summary=summary,
        tag="words",
        **{"scope": scope, "service": PROFILE, **more},
    )


CALLS: Final = (
    _call(
        "GET", "lexicon", "lexicon.list", "Keywords by which texts are made out", query=PAGE,
        answer=Page[KeywordView],
    ),
    _call(
        "PUT", "lexicon/{phrase}", "lexicon.put",
        "What a phrase is about and how it leans, for texts that come from now on",
        body=KeywordSpec, example={"topic": "packaging", "mood": "negative"},
        answer=KeywordPut,
    ),
    _call(
        "DELETE", "lexicon/{phrase}", "lexicon.delete",
        "Take an operator's phrase back, or silence a built-in one", status=204,
    ),
    _call(
        "POST", "texts/classify", "texts.classify", "Topics, mood and quote of a text",
        scope=PROFILES_READ, changes=False, body=TextSpec,
        example={"text": "盒子压扁了，客服也不回"}, answer=Heard,
    ),
    _call(
        "GET", "texts/model", "texts.model", "The trained model and how good it is",
        answer=TextModelView,
    ),
)  # fmt: skip
