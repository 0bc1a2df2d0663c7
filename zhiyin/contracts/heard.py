"""What was made out in a customer's words: which topics, in which mood."""

from typing import Final, Literal

from msgspec import Struct

Topic = Literal[
    "quality",
    "taste",
    "packaging",
    "logistics",
    "price",
    "effect",
    "usage",
    "after_sales",
    "other",
]
Mood = Literal["positive", "neutral", "negative"]
TOPICS: Final[tuple[Topic, ...]] = Topic.__args__  # type: ignore[attr-defined]
MOODS: Final[tuple[Mood, ...]] = Mood.__args__  # type: ignore[attr-defined]
# Events in which a customer may say something in words.
TEXT_TYPES: Final = (
    "support.opened",
    "support.messaged",
    "community.shared",
    "community.reviewed",
    "community.checked_in",
    "community.asked",
)
# Under this name rules find it among an event's properties: `heard.topics`, `heard.mood`.
HEARD: Final = "heard"


class Heard(Struct, frozen=True, omit_defaults=True):
    """`topics`: strongest first; `mood_score`: −100 (bad) to 100 (good); `quote`: the words that
    decided, masked; `model` and `lexicon`: the versions by which it was made out, for it is never
    made out again."""

    topics: tuple[Topic, ...] = ()
    mood: Mood = "neutral"
    mood_score: int = 0
    quote: str = ""
    model: str = ""
    lexicon: int = 0
