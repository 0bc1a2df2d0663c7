"""Every segment of the library holds whom it says, and is said in both languages."""

import re

import pytest

from services.segmentation.domain.outlook import outlook
from services.segmentation.domain.ready_segments.entry import Ready
from services.segmentation.domain.ready_segments.shelf import BY_KEY, LIBRARY
from services.segmentation.domain.segment_set import SegmentSet
from tests.people import snapshot_of
from tests.segmentation.lives import LIVES, NOW, Life
from tests.segmentation.people import rules_of
from zhiyin.contracts.segments import KEY_PATTERN
from zhiyin.rules import Options, parse, write_text
from zhiyin.rules.sentences import Subject, sentence

RULES = rules_of({one.key: one.rule for one in LIBRARY})


def told(life: Life, key: str, rules: SegmentSet = RULES) -> bool:
    return outlook(snapshot_of(life), rules, key, NOW)[-1].told.matches


@pytest.mark.parametrize("key", sorted(BY_KEY))
def test_one_person_is_in_and_another_is_not(key: str) -> None:
    inside, outside = LIVES[key]
    assert told(inside, key)
    assert not told(outside, key)


@pytest.mark.parametrize("one", LIBRARY, ids=lambda one: one.key)
def test_it_has_a_name_and_a_description_in_both_languages(one: Ready) -> None:
    assert re.fullmatch(KEY_PATTERN, one.key)
    for words in (one.name, one.about):
        assert re.search(r"[\u4e00-\u9fff]", words.zh)
        assert re.fullmatch(r"[\x20-\x7e≥≤]+", words.en)
    assert write_text(parse(one.rule))


def test_the_library_has_every_kind_of_segment() -> None:
    assert len(LIBRARY) == len(BY_KEY) >= 40
    assert {one.group for one in LIBRARY} == {
        *("rfm", "lifecycle", "value", "persona", "health"),
        *("scenario", "intent", "channel", "risk"),
    }
    assert len({one.name.zh for one in LIBRARY}) == len({one.name.en for one in LIBRARY}) == 62


@pytest.mark.parametrize("key", sorted(BY_KEY))
def test_why_somebody_is_in_or_not_is_one_sentence_in_both_languages(key: str) -> None:
    for life, (zh, en) in zip(LIVES[key], (("属于", "In"), ("不属于", "Not in")), strict=True):
        read = outlook(snapshot_of(life), RULES, key, NOW)[-1]
        said = sentence(read.told, Subject(BY_KEY[key].name, 1), Options())
        assert said.zh.startswith(f"{zh}人群“{BY_KEY[key].name.zh}”（规则第 1 版）：")
        assert said.en.startswith(f"{en} “{BY_KEY[key].name.en}” (rule version 1): ")
        flips = read.told.next_flip is not None
        assert ("将于" in said.zh) == flips == ("they will" in said.en)
