"""An explanation in one sentence, in Chinese and in English."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from zhiyin.rules.explain import Explanation
from zhiyin.rules.numbers import time_of
from zhiyin.rules.options import Options
from zhiyin.rules.paths import Kind, locate
from zhiyin.rules.tree import FactIs, Leaf
from zhiyin.rules.words.language import Language, Words
from zhiyin.rules.words.phrases import phrase
from zhiyin.rules.words.values import day_and_time, money, value

_MOST_REASONS: Final = 6


class Subject(Struct, frozen=True):
    """What the rule belongs to: the segment's name in both languages and the rule's version."""

    name: Words
    version: int


def sentence(told: Explanation, subject: Subject, options: Options) -> Words:
    """Whether the person is in, what decides it, and what time will do about it."""
    return Words(_chinese(told, subject, options), _english(told, subject, options))


def deciding(told: Explanation) -> Iterator[Explanation]:
    """The single clauses that make the answer what it is: of a conjunction that fails those that
    fail, of an alternative that holds those that hold."""
    if told.rule is not None:
        yield told
    for each in told.clauses:
        if told.clause == "not" or each.matches == told.matches:
            yield from deciding(each)


def _chinese(told: Explanation, subject: Subject, options: Options) -> str:
    place = f"人群“{subject.name.zh}”（规则第 {subject.version} 版）"
    head = f"{'属于' if told.matches else '不属于'}{place}"
    tail = "时间不会改变这一点"
    if told.next_flip is not None:
        at = day_and_time(told.next_flip, options, "zh")
        tail = f"将于 {at} {'离开' if told.matches else '进入'}"
    return f"{head}：{'；'.join(_reasons(told, options, 'zh'))}。若没有新的事件，{tail}。"


def _english(told: Explanation, subject: Subject, options: Options) -> str:
    place = f"“{subject.name.en}” (rule version {subject.version})"
    head = f"{'In' if told.matches else 'Not in'} {place}"
    tail = "time will not change this"
    if told.next_flip is not None:
        at = day_and_time(told.next_flip, options, "en")
        tail = f"they will {'leave' if told.matches else 'enter'} at {at}"
    return f"{head}: {'; '.join(_reasons(told, options, 'en'))}. Without new events {tail}."


def _reasons(told: Explanation, options: Options, language: Language) -> Iterator[str]:
    found = list(deciding(told))
    for each in found[:_MOST_REASONS]:
        yield _reason(each, options, language)
    more = len(found) - _MOST_REASONS
    if more > 0:
        yield f"等另外 {more} 项" if language == "zh" else f"and {more} more"


def _reason(told: Explanation, options: Options, language: Language) -> str:
    rule = told.rule
    if rule is None:
        return ""
    asked = phrase(rule, options, language)
    found = _found(told, rule, options, language)
    if language == "zh":
        asked = asked if told.matches else f"不满足“{asked}”"
        return f"{asked}（实际：{found}）"
    asked = asked if told.matches else f"it is not so that {asked}"
    return f"{asked} (found: {found})"


def _found(told: Explanation, rule: Leaf, options: Options, language: Language) -> str:
    if isinstance(told.value, dict):
        return value(told.value.get("since"), language)
    fact = locate(rule.path) if isinstance(rule, FactIs) else None
    if fact is not None and fact.kind is Kind.MONEY:
        return money(told.value, options, language)
    at = time_of(told.value, options.zone)
    if at is not None:
        return day_and_time(at, options, language)
    return value(told.value, language, choices=bool(fact and fact.choices))
