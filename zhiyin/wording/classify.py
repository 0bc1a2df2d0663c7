"""One text, made out."""

from collections.abc import Collection
from math import exp
from typing import Final

from zhiyin.contracts.heard import Heard, Mood, Topic
from zhiyin.wording.features import grams, normalised
from zhiyin.wording.lexicon import Entry, Lexicon
from zhiyin.wording.model import Model
from zhiyin.wording.quoting import clauses, shortened, without_personal
from zhiyin.wording.weighing import Weighing

# What one keyword adds to a topic's logit, and to the mood's; how likely the first topic must be,
# and others beside it. Chosen by cross-validation on the training sentences.
_KEYWORD: Final = 2.5
_LEANING: Final = 1.2
_FIRST: Final = -0.3
_FURTHER: Final = 0.0
_MOST_TOPICS: Final = 3
_CLEAR: Final = 40  # of 100: a mood score nearer to 0 is neutral
_GOOD_STARS, _BAD_STARS = 4, 2
_OTHER: Final[Topic] = "other"


class Classifier:
    """A deterministic function of text, model and lexicon."""

    def __init__(self, model: Model | None, lexicon: Lexicon) -> None:
        self._weighing = Weighing(model)
        self._lexicon = lexicon

    def knowing(self, lexicon: Lexicon) -> "Classifier":
        """The same model with another lexicon."""
        other = Classifier(None, lexicon)
        other._weighing = self._weighing
        return other

    def hear(self, text: str, stars: float | None = None) -> Heard:
        """`stars`: 1 to 5, where the customer gave some; they decide what the words leave open."""
        logits, score = self._made_out(text)
        topics = _likely(logits) or (_OTHER,)
        return Heard(
            topics,
            _mood(score, stars),
            score,
            self._quote(text, topics[0]),
            self._weighing.version,
            self._lexicon.revision,
        )

    def _made_out(self, text: str) -> tuple[dict[Topic, float], int]:
        """The logit of each topic, and the mood from −100 to 100: twice the probability of a good
        one, less one."""
        plain = normalised(text)
        hits = {hit.entry.phrase: hit.entry for hit in self._lexicon.hits(plain)}
        said = list(hits.values())
        logits, mood = self._weighing.logits(grams(plain))
        _add_keywords(logits, said)
        mood += _LEANING * sum(entry.lean * entry.weight for entry in said)
        return logits, round(200 / (1 + exp(-max(-20.0, min(20.0, mood))))) - 100

    def _quote(self, text: str, topic: Topic) -> str:
        """The first clause with a keyword of the topic, or else the one most about it."""
        found = clauses(without_personal(text))
        if not found:
            return ""
        for clause in found:
            if any(hit.entry.topic == topic for hit in self._lexicon.hits(normalised(clause))):
                return shortened(clause)
        return shortened(max(found, key=lambda clause: self._aboutness(clause, topic)))

    def _aboutness(self, clause: str, topic: Topic) -> float:
        return self._made_out(clause)[0].get(topic, len(clause))


def _add_keywords(logits: dict[Topic, float], said: Collection[Entry]) -> None:
    for entry in said:
        if entry.topic in logits:
            logits[entry.topic] += _KEYWORD * entry.weight


def _likely(logits: dict[Topic, float]) -> tuple[Topic, ...]:
    """Strongest first."""
    ranked = sorted(logits, key=lambda topic: -logits[topic])[:_MOST_TOPICS]
    first = [topic for topic in ranked[:1] if logits[topic] > _FIRST]
    return tuple(first + [topic for topic in ranked[1:] if logits[topic] > _FURTHER])


def _mood(score: int, stars: float | None) -> Mood:
    if score >= _CLEAR:
        return "positive"
    if score <= -_CLEAR:
        return "negative"
    if stars is not None and stars >= _GOOD_STARS:
        return "positive"
    if stars is not None and stars <= _BAD_STARS:
        return "negative"
    return "neutral"
