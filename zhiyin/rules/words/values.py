"""Values, durations and instants as people say them."""

from collections.abc import Iterable
from typing import Any, Final

from zhiyin.contracts.instants import DAY, HOUR, MINUTE, SECOND, Instant, duration, moment
from zhiyin.rules.options import Options
from zhiyin.rules.words.facts import CHOICES
from zhiyin.rules.words.language import Language, Words

_UNITS: Final = (
    (DAY, Words("天", "day")),
    (HOUR, Words("小时", "hour")),
    (MINUTE, Words("分钟", "minute")),
    (SECOND, Words("秒", "second")),
)
_TRUTH: Final = {True: Words("是", "yes"), False: Words("否", "no")}
_NOTHING: Final = Words("无", "nothing")
_MOST: Final = 60


def span(text: str, language: Language) -> str:
    """`90d` as 90 天, 90 days; in the largest unit that comes out whole."""
    length = duration(text)
    size, unit = next(each for each in _UNITS if length % each[0] == 0)
    number = length // size
    if language == "zh":
        return f"{number} {unit.zh}"
    return f"{number} {unit.en}{'' if number == 1 else 's'}"


def day_and_time(at: Instant, options: Options, language: Language) -> str:
    """To the second, in the platform's time zone."""
    local = moment(at).astimezone(options.zone)
    if language == "zh":
        return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M:%S}"
    return f"{local:%Y-%m-%d %H:%M:%S}"


def value(found: Any, language: Language, *, choices: bool = False) -> str:
    """A value short enough for a sentence. `choices`: it is one of a few that have names."""
    match found:
        case None:
            return _NOTHING.of(language)
        case bool():
            return _TRUTH[found].of(language)
        case list() | tuple():
            return listed((value(each, language, choices=choices) for each in found), language)
        case str() if choices and found in CHOICES:
            return CHOICES[found].of(language)
        case str():
            cut = found if len(found) <= _MOST else found[:_MOST] + "…"
            return f"“{cut}”"
        case _:
            return str(found)


def listed(values: Iterable[str], language: Language) -> str:
    found = list(values)
    if not found:
        return _NOTHING.of(language)
    return ("、" if language == "zh" else ", ").join(found)


def money(found: Any, options: Options, language: Language) -> str:
    if found is None:
        return _NOTHING.of(language)
    if options.currency != "CNY":
        return f"{found} {options.currency}"
    return f"{found} 元" if language == "zh" else f"CNY {found}"
