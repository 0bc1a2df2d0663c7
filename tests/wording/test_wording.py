"""Making out what customers say: by the lexicon alone, and with a model trained on the spot."""

from pathlib import Path

import msgspec
import pytest

from zhiyin.wording import Classifier, Entry, Lexicon, Model, load_model, seed_entries
from zhiyin.wording.corpus import reviews
from zhiyin.wording.model import save_model
from zhiyin.wording.scoring import held_out_scores
from zhiyin.wording.training import train

ALONE = Classifier(None, Lexicon(seed_entries(), 7))
REVIEWS = reviews()[:3000]  # a fifth, so that it is quick


@pytest.fixture(scope="module")
def model() -> Model:
    return train(REVIEWS)


@pytest.mark.parametrize(
    ("text", "topics", "mood"),
    [
        ("盒子压扁了", ("packaging",), "negative"),
        ("快递太慢，味道倒是好吃", ("logistics", "taste"), "neutral"),
        ("一天几次，饭前还是饭后", ("usage",), "neutral"),
        ("你好", ("other",), "neutral"),
        ("  ", ("other",), "neutral"),
        ("没效果，要求退款", ("after_sales", "effect"), "negative"),
    ],
)
def test_keywords_tell_topics_and_mood(text: str, topics: tuple[str, ...], mood: str) -> None:
    heard = ALONE.hear(text)
    assert set(heard.topics) == set(topics)
    assert heard.mood == mood
    assert (heard.model, heard.lexicon) == ("", 7)


def test_of_overlapping_phrases_the_longest_counts() -> None:
    entries = [Entry("贵", "price", -1), Entry("贵妃", None), Entry("不贵", "price", 1)]
    lexicon = Lexicon(entries)
    found = [(hit.entry.phrase, hit.start) for hit in lexicon.hits("贵妃酥不贵,贵")]
    assert found == [("贵妃", 0), ("不贵", 3), ("贵", 6)]


def test_a_phrase_without_weight_says_nothing_and_hides_what_is_in_it() -> None:
    lexicon = Lexicon([*seed_entries(), Entry("味道书店", None, 0, 0.0)])
    assert Classifier(None, lexicon).hear("味道书店").topics == ("other",)


def test_the_quote_is_the_clause_that_decided_and_names_nobody() -> None:
    text = "我叫小王，盒子压扁了请打13800001111或写信wang@example.com，谢谢"
    quote = ALONE.hear(text).quote
    assert quote == "盒子压扁了请打***或写信***"
    for number in (
        "138 0000 1111",
        "+86-138-0000-1111",
        "6222 0212 3456 7890",
        "11010119900307851X",
    ):
        assert ALONE.hear(f"包装破损请打{number}").quote == "包装破损请打***", number
    assert len(ALONE.hear("包装" * 300).quote) <= 40


def test_stars_decide_where_the_words_do_not() -> None:
    assert ALONE.hear("收到了", 1).mood == "negative"
    assert ALONE.hear("收到了", 5).mood == "positive"
    assert ALONE.hear("难吃", 5).mood == "negative", "the words are clear"


def test_training_twice_gives_the_same_model(model: Model) -> None:
    assert msgspec.msgpack.encode(train(REVIEWS)) == msgspec.msgpack.encode(model)


def test_the_model_is_better_than_keywords_on_text_neither_has_seen(model: Model) -> None:
    """Trained on a fifth of the reviews; what all of them give stands in docs/benchmarks.md."""
    trained, alone = held_out_scores(model, REVIEWS), held_out_scores(None, REVIEWS)
    assert trained["topics.first"] >= alone["topics.first"] >= 0.7
    assert trained["topics.f1.packaging"] > alone["topics.f1.packaging"]
    assert trained["mood.reviews"] > 0.7 > alone["mood.reviews"]
    assert trained["mood.sentences"] > alone["mood.sentences"]


def test_a_saved_model_hears_the_same(model: Model, tmp_path: Path) -> None:
    file = tmp_path / "share" / "words.model"
    assert load_model(file) is None
    save_model(model.scored({"mood.reviews": 0.8}), file)
    loaded = load_model(file)
    assert loaded is not None
    assert loaded.scores == {"mood.reviews": 0.8}
    lexicon = Lexicon(seed_entries())
    for each in REVIEWS[:50]:
        assert Classifier(loaded, lexicon).hear(each.text) == Classifier(model, lexicon).hear(
            each.text
        )
