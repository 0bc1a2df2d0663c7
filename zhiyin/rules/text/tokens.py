"""The words, texts and signs a written rule is made of, each with where it stands."""

import re
from typing import Final, Literal, NamedTuple

import msgspec

from zhiyin.rules.errors import Place, RuleError, RuleProblem
from zhiyin.rules.tree import Op

MOST_LENGTH: Final = 100_000
# A word is whatever has no meaning to the language: paths, names, numbers, durations, dates.
WORD: Final = re.compile(r"[^\s()\"',=<>!≥≤≠]+")
RESERVED: Final = frozenset(
    {
        "and",
        "or",
        "not",
        "in",
        "between",
        "contains",
        "starts",
        "with",
        "exists",
        "missing",
        "any",
        "all",
        "none",
        "of",
        "older",
        "newer",
        "than",
        "within",
        "where",
        "true",
        "false",
    }
)
SIGNS: Final[dict[str, Op]] = {
    "==": "eq",
    "=": "eq",
    "!=": "ne",
    "≠": "ne",
    ">=": "gte",
    "≥": "gte",
    ">": "gt",
    "<=": "lte",
    "≤": "lte",
    "<": "lt",
}
_SIGN: Final = re.compile(r"==|=|!=|≠|>=|≥|>|<=|≤|<|[(),]")
_QUOTED: Final = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_SPACE: Final = re.compile(r"\s*")


class Token(NamedTuple):
    """`value` of a text is what stands between its quotes. `at`: offset in characters from 0."""

    kind: Literal["word", "text", "sign", "end"]
    value: str
    at: int

    @property
    def lowered(self) -> str:
        """The word, if it is one, as the language's own words are written."""
        return self.value.lower() if self.kind == "word" else ""

    @property
    def shown(self) -> str:
        if self.kind == "end":
            return "the end"
        cut = self.value if len(self.value) <= 40 else self.value[:40] + "…"
        return f"“{cut}”"


def tokens(text: str) -> list[Token]:
    """Everything up to and including the end. Raises RuleError at the first character that cannot
    stand where it does."""
    if len(text) > MOST_LENGTH:
        raise refusal(
            text, MOST_LENGTH, "too_large", f"a rule has at most {MOST_LENGTH} characters"
        )
    found: list[Token] = []
    at = _after_space(text, 0)
    while at < len(text):
        token, end = _token(text, at)
        found.append(token)
        at = _after_space(text, end)
    return [*found, Token("end", "", len(text))]


def refusal(text: str, at: int, code: str, message: str) -> RuleError:
    return RuleError((RuleProblem("", code, message, place_of(text, at)),))


def place_of(text: str, at: int) -> Place:
    """Line and column of an offset, both from 1."""
    before = text[:at]
    return Place(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)


def _after_space(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _token(text: str, at: int) -> tuple[Token, int]:
    if quoted := _QUOTED.match(text, at):
        return Token("text", _unquoted(text, quoted), at), quoted.end()
    if text[at] in "\"'":
        raise refusal(text, at, "bad_text", "the quote that begins here does not end")
    if sign := _SIGN.match(text, at):
        return Token("sign", sign[0], at), sign.end()
    if word := WORD.match(text, at):
        return Token("word", word[0], at), word.end()
    raise refusal(text, at, "syntax", f"“{text[at]}” means nothing here")


def _unquoted(text: str, quoted: re.Match[str]) -> str:
    if quoted[0].startswith("'"):
        return quoted[0][1:-1]
    try:
        return msgspec.json.decode(quoted[0], type=str)
    except (msgspec.DecodeError, UnicodeError) as error:
        message = "what stands between double quotes is written as in JSON"
        raise refusal(text, quoted.start(), "bad_text", message) from error
