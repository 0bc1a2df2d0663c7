"""What customers say in words: the lexicon, and trying it out; by the profile service."""

from functools import partial
from typing import Final

from services.gateway.calls import PAGE
from services.gateway.domain.scopes import PROFILES_READ
from services.gateway.routes.of_profile import profile_call
from zhiyin.contracts.heard import Heard
from zhiyin.contracts.words import KeywordPut, KeywordSpec, KeywordView, TextModelView, TextSpec
from zhiyin.runtime.web import Page

_call: Final = partial(profile_call, tag="words")

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
