"""The lexicon by which customers' words are made out, as operators see and edit it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.heard import Mood, Topic

Phrase = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[^\s/\x00-\x1f]+$")]


class KeywordSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`topic` null: the phrase tells of a mood only. `weight`: how much it counts, 1 as the
    built-in ones do, 0 for a phrase that is to say nothing (and hides shorter ones in it)."""

    topic: Topic | None = None
    mood: Mood = "neutral"
    weight: Annotated[float, Meta(ge=0, le=10)] = 1.0


class KeywordView(Struct, frozen=True):
    phrase: str
    topic: Topic | None
    mood: Mood
    weight: float
    source: Literal["built-in", "operator"]


class KeywordPut(Struct, frozen=True):
    """`lexicon`: the revision from which the phrase counts."""

    phrase: str
    lexicon: int


class TextSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A text to be made out; nothing is kept. `score`: stars, as a review has them."""

    text: Annotated[str, Meta(min_length=1, max_length=10_000)]
    score: Annotated[float, Meta(ge=1, le=5)] | None = None


class TextModelView(Struct, frozen=True):
    """`version` "" where no model has been trained: then the lexicon decides alone. `scores`: on
    held-out text, 0 to 1."""

    version: str
    lexicon: int
    scores: dict[str, float]
