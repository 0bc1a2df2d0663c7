"""Surveys behind a link: one question, the reasons to choose from, a word of one's own."""

from typing import Annotated

from msgspec import Meta, Struct

from zhiyin.contracts.segments import Key

_Text = Annotated[str, Meta(min_length=1, max_length=300)]


class InBoth(Struct, frozen=True, forbid_unknown_fields=True):
    """The same in Chinese and English."""

    zh: _Text
    en: _Text


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """`key` is what the event says: `custom.survey_answered {survey, reason, …}`."""

    key: Key
    text: InBoth


class SurveySpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`expires`: how long a link holds. `comment`: whether there is room for a word of one's own;
    what looks like a phone number, an address or an identity number in it is masked."""

    title: InBoth
    question: InBoth
    reasons: Annotated[list[Reason], Meta(min_length=2, max_length=12)]
    thanks: InBoth
    expires: Annotated[str, Meta(min_length=2, max_length=32)] = "14d"
    comment: bool = True


class SurveyAnswer(Struct, frozen=True):
    """What a person chose. Anything else on the form is of no concern."""

    reason: Annotated[str, Meta(max_length=64)] = ""
    comment: Annotated[str, Meta(max_length=1000)] = ""
