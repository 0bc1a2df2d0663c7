"""Training: the mood from reviews, the topics from our sentences and from review clauses in which
exactly one topic's keywords stand. The keywords are then hidden, so that the model learns what is
said around them and not what the lexicon knows anyway."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from zhiyin.contracts.heard import TOPICS, Topic
from zhiyin.wording.corpus import Example, sentences
from zhiyin.wording.features import grams, normalised
from zhiyin.wording.fitting import Sample, fitted, frequent
from zhiyin.wording.lexicon import Hit, Lexicon, seed_entries
from zhiyin.wording.model import Linear, Model, made_of
from zhiyin.wording.quoting import clauses
from zhiyin.wording.seed_phrases import SEED_PHRASES

HELD_BACK: Final = 10  # one review in ten is not trained on
_LEAST_REVIEWS: Final = 5
_MOOD_CHARACTERS: Final = 120
_MOOD_WEIGHTS: Final = 12_000
_MOOD_EPOCHS: Final = 2
_TOPIC_WEIGHTS: Final = 2_000
_TOPIC_EPOCHS: Final = 5
_CLAUSES_A_TOPIC: Final = 250
_CLAUSE: Final = range(5, 31)
# How much an example counts. The sentences are few and about what is sold here; the clauses are
# many and about hotels and books. A topic's own examples are outnumbered eight to one. Chosen by
# cross-validation on the sentences.
_CORPUS: Final = 0.3
_OWN: Final = 4.0
_OUTNUMBERED: Final = 8
_REPEATS: Final = 2


def train(told: Sequence[Example]) -> Model:
    """From these reviews; always the same from the same."""
    taught = [each for index, each in enumerate(told) if index % HELD_BACK]
    return made_of(_topics(taught), _mood(taught))


def _mood(taught: list[Example]) -> Linear:
    cut = [(_pieces(each.text[:_MOOD_CHARACTERS]), each.lean > 0) for each in taught]
    known = frequent((pieces for pieces, _ in cut), _LEAST_REVIEWS)
    samples = [Sample([piece for piece in pieces if piece in known], glad) for pieces, glad in cut]
    own = [
        Sample(_pieces(each.text), glad, _OWN)
        for _, each in sentences(SEED_PHRASES)
        for glad in ((True, False) if each.lean == 0 else (each.lean > 0,))  # neither: both
    ]
    return fitted([*samples, *own * _REPEATS], epochs=_MOOD_EPOCHS, most=_MOOD_WEIGHTS)


def _topics(taught: list[Example]) -> dict[Topic, Linear]:
    own = [(topic, _pieces(each.text), 1.0) for topic, each in sentences(SEED_PHRASES)]
    lines = [*_from_reviews(taught), *own * _REPEATS]
    return {
        topic: fitted(
            [
                Sample(pieces, told == topic, weight * (_OUTNUMBERED if told == topic else 1))
                for told, pieces, weight in lines
            ],
            epochs=_TOPIC_EPOCHS,
            most=_TOPIC_WEIGHTS,
        )
        for topic in TOPICS
        if topic != "other"
    }


def _pieces(text: str) -> list[str]:
    return sorted(grams(normalised(text)))


def _from_reviews(taught: list[Example]) -> list[tuple[Topic, list[str], float]]:
    lexicon = Lexicon(seed_entries())
    taken: Counter[Topic] = Counter()
    found: list[tuple[Topic, list[str], float]] = []
    for each in taught:
        for clause in clauses(each.text):
            plain = normalised(clause)
            hits = list(lexicon.hits(plain))
            topics: set[Topic] = {hit.entry.topic for hit in hits if hit.entry.topic} or {"other"}
            topic = min(topics)
            if len(plain) in _CLAUSE and len(topics) == 1 and taken[topic] < _CLAUSES_A_TOPIC:
                taken[topic] += 1
                found.append((topic, sorted(_around(plain, hits)), _CORPUS))
    return found


def _around(plain: str, hits: list[Hit]) -> set[str]:
    """The pieces of a text without its keywords."""
    pieces: set[str] = set()
    start = 0
    for entry, at in hits:
        pieces |= grams(plain[start:at])
        start = at + len(normalised(entry.phrase))
    return pieces | grams(plain[start:])
