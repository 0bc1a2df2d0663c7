"""What a clause asks for, as a phrase."""

from collections.abc import Callable
from typing import Any, Final, assert_never

from zhiyin.rules.options import Options
from zhiyin.rules.paths import AGES, Kind, locate
from zhiyin.rules.tree import (
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    Condition,
    FactIs,
    InSegment,
    Leaf,
    Not,
    Op,
    Recency,
    Rule,
    RuleValue,
    Selector,
    Streak,
    Tagged,
)
from zhiyin.rules.words.events import event_words, property_words
from zhiyin.rules.words.facts import words_of
from zhiyin.rules.words.language import Language, Words
from zhiyin.rules.words.values import listed, money, span, value

Say = Callable[[Any], str]

_OPS: Final[dict[Op, Words]] = {
    "eq": Words("为{}", "is {}"),
    "ne": Words("不为{}", "is not {}"),
    "gt": Words("大于 {}", "is more than {}"),
    "gte": Words("至少 {}", "is at least {}"),
    "lt": Words("小于 {}", "is less than {}"),
    "lte": Words("至多 {}", "is at most {}"),
    "in": Words("是 {} 之一", "is one of {}"),
    "not_in": Words("不是 {} 中任何一个", "is none of {}"),
    "contains": Words("包含 {}", "contains {}"),
    "starts_with": Words("以 {} 开头", "begins with {}"),
    "exists": Words("有记录", "is known"),
    "missing": Words("没有记录", "is not known"),
    "any_of": Words("有 {} 中任意一个", "has any of {}"),
    "all_of": Words("同时有 {}", "has all of {}"),
    "none_of": Words("没有 {} 中任何一个", "has none of {}"),
    "older_than": Words("在 {}以前", "is more than {} ago"),
    "newer_than": Words("在最近 {}内", "is at most {} ago"),
}
_FUNCTIONS: Final = {
    "sum": Words("之和", "sum"),
    "max": Words("最大值", "greatest"),
    "min": Words("最小值", "smallest"),
}
_WHICH: Final = {"last": Words("最近一次", "last"), "first": Words("第一次", "first")}


def phrase(clause: Leaf, options: Options, language: Language) -> str:
    """What must be so for the clause to hold."""
    match clause:
        case FactIs():
            return _fact(clause, options, language)
        case Aggregate():
            return _aggregate(clause, language)
        case Recency():
            return _recency(clause, language)
        case Streak():
            return _streak(clause, language)
        case Tagged(tag):
            return f"有标签“{tag}”" if language == "zh" else f"the tag “{tag}” is held"
        case InSegment(segment):
            return f"在人群“{segment}”中" if language == "zh" else f"segment “{segment}” holds"
        case Anniversary():
            return _anniversary(clause, language)
        case _:
            assert_never(clause)


def _streak(clause: Streak, language: Language) -> str:
    events = _events(clause.selector, language)
    test = _plain(clause.op, clause.value, language)
    if language == "zh":
        return f"最近连续的{events}次数{test}"
    return f"the number of latest {events} events in a row {test}"


def _anniversary(clause: Anniversary, language: Language) -> str:
    name, ahead = words_of(clause.path).name.of(language), span(clause.within, language)
    if language == "zh":
        return f"{name}的周年日就是今天或在 {ahead}内到来"
    return f"the anniversary of the {name} is today or comes within {ahead}"


def describe(rule: Rule, options: Options, language: Language) -> str:
    """What a whole rule asks for."""
    chinese = language == "zh"
    match rule:
        case AllOf(clauses):
            said = [_bracketed(each, options, language) for each in clauses]
            return ("，且" if chinese else ", and ").join(said)
        case AnyOf(clauses):
            said = [_bracketed(each, options, language) for each in clauses]
            return ("，或" if chinese else ", or ").join(said)
        case Not(clause):
            inside = _bracketed(clause, options, language)
            return f"并非{inside}" if chinese else f"it is not so that {inside}"
        case _:
            return phrase(rule, options, language)


def _bracketed(rule: Rule, options: Options, language: Language) -> str:
    said = describe(rule, options, language)
    if not isinstance(rule, (AllOf, AnyOf)) or len(rule.clauses) == 1:
        return said
    return f"（{said}）" if language == "zh" else f"({said})"


def _fact(clause: FactIs, options: Options, language: Language) -> str:
    fact = locate(clause.path)
    say: Say = lambda found: value(found, language, choices=bool(fact and fact.choices))  # noqa: E731
    if fact is not None and fact.kind is Kind.MONEY:
        say = lambda found: money(found, options, language)  # noqa: E731
    name = words_of(clause.path).name.of(language)
    tested = _test(clause.op, clause.value, say, language)
    return f"{name}{tested}" if language == "zh" else f"the {name} {tested}"


def _aggregate(clause: Aggregate, language: Language) -> str:
    events = _events(clause.selector, language)
    test = _plain(clause.op, clause.value, language)
    window = "" if clause.within is None else span(clause.within, language)
    if language == "zh":
        within = f"最近 {window}内" if window else ""
        if clause.property is None:
            return f"{within}{events}次数{test}"
        of = property_words(clause.property).zh
        return f"{within}{events}的{of}{_FUNCTIONS[clause.function].zh}{test}"
    within = f" in the last {window}" if window else ""
    if clause.property is None:
        return f"the number of {events} events{within} {test}"
    of, function = property_words(clause.property).en, _FUNCTIONS[clause.function].en
    return f"the {function} {of} of {events} events{within} {test}"


def _recency(clause: Recency, language: Language) -> str:
    bounds: list[tuple[Op, str | None]] = [
        ("older_than", clause.older_than),
        ("newer_than", clause.newer_than),
    ]
    said = [_test(op, bound, str, language) for op, bound in bounds if bound is not None]
    which, events = _WHICH[clause.which].of(language), _events(clause.selector, language)
    if language == "zh":
        return f"{which}{events}{'且'.join(said)}"
    return f"the {which} {events} {' and '.join(said)}"


def _events(selector: Selector, language: Language) -> str:
    name = event_words(selector.event).of(language)
    if not selector.where:
        return name
    tests = [_condition(each, language) for each in selector.where]
    if language == "zh":
        return f"{name}（{'且'.join(tests)}）"
    return f"{name} (where {' and '.join(tests)})"


def _condition(condition: Condition, language: Language) -> str:
    name = property_words(condition.property).of(language)
    tested = _plain(condition.op, condition.value, language)
    return f"{name}{tested}" if language == "zh" else f"{name} {tested}"


def _plain(op: Op, wanted: RuleValue, language: Language) -> str:
    return _test(op, wanted, lambda found: value(found, language), language)


def _test(op: Op, wanted: RuleValue, say: Say, language: Language) -> str:
    if op == "between" and isinstance(wanted, tuple):
        low, high = map(say, wanted)
        return f"在 {low} 到 {high} 之间" if language == "zh" else f"is between {low} and {high}"
    if op in AGES:
        return _OPS[op].of(language).format(span(str(wanted), language))
    if isinstance(wanted, tuple):
        return _OPS[op].of(language).format(listed(map(say, wanted), language))
    return _OPS[op].of(language).format("" if wanted is None else say(wanted))
