"""How good the model is, on text it has not seen."""

from collections.abc import Sequence
from typing import Final

from zhiyin.contracts.heard import TOPICS, Heard, Topic
from zhiyin.wording.classify import Classifier
from zhiyin.wording.corpus import Example, sentences
from zhiyin.wording.held_out import HELD_OUT
from zhiyin.wording.lexicon import Lexicon, seed_entries
from zhiyin.wording.model import Model
from zhiyin.wording.training import HELD_BACK

_LEANS: Final = {"positive": 1, "neutral": 0, "negative": -1}
Scores = dict[str, float]


def held_out_scores(model: Model | None, told: Sequence[Example]) -> Scores:
    """Shares of 1. `topics.*` and `mood.sentences`: our held-out sentences, the mood out of three;
    `mood.reviews`: the reviews that training kept back, by the sign of the mood score."""
    lexicon = Lexicon(seed_entries())
    classifier = Classifier(model, lexicon)
    judged = [(topic, each, classifier.hear(each.text)) for topic, each in sentences(HELD_OUT)]
    kept_back = [each for index, each in enumerate(told) if index % HELD_BACK == 0]
    return {
        "topics.first": _share([heard.topics[0] == topic for topic, _, heard in judged]),
        "topics.macro_f1": sum(_f1(judged, topic) for topic in TOPICS) / len(TOPICS),
        **{f"topics.f1.{topic}": _f1(judged, topic) for topic in TOPICS},
        "mood.sentences": _share([_LEANS[heard.mood] == each.lean for _, each, heard in judged]),
        "mood.reviews": _share(
            [(classifier.hear(each.text).mood_score > 0) == (each.lean > 0) for each in kept_back]
        ),
    }


def _f1(judged: Sequence[tuple[Topic, Example, Heard]], topic: Topic) -> float:
    """Over every topic given to a text, not the first alone."""
    right = sum(topic in heard.topics for true, _, heard in judged if true == topic)
    given = sum(topic in heard.topics for _, _, heard in judged)
    true = sum(true == topic for true, _, _ in judged)
    return 2 * right / (given + true)


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits)
