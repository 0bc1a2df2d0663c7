"""Where the reading of a rule stands: what was wrong so far, and how large the rule has grown."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NoReturn

from zhiyin.contracts.instants import DAY, Duration, duration
from zhiyin.rules.errors import RuleProblem

MOST_DEPTH: Final = 20
MOST_NODES: Final = 500
MOST_VALUES: Final = 1_000
MOST_TEXT: Final = 1_000
_MOST_PROBLEMS: Final = 50
_LONGEST: Final = 36_500 * DAY
_SHOWN: Final = 60


class Refused(Exception):
    """This part of the rule cannot be read; the problem is noted, its siblings go on."""


class Reader:
    """Notes problems while a tree is read, so that an author sees all of them at once."""

    def __init__(self, *, quintiles: bool = True) -> None:
        self.quintiles = quintiles
        self.problems: list[RuleProblem] = []
        self._nodes = 0

    def refuse(self, pointer: str, code: str, message: str) -> NoReturn:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(RuleProblem(pointer, code, message))
        raise Refused

    def count(self, pointer: str, depth: int = 0) -> None:
        """Every clause and condition passes here: a rule has to stay cheap to evaluate."""
        if depth > MOST_DEPTH:
            self.refuse(pointer, "too_deep", f"a rule is at most {MOST_DEPTH} levels deep")
        self._nodes += 1
        if self._nodes == MOST_NODES + 1:
            message = f"a rule has at most {MOST_NODES} clauses and conditions"
            self.refuse(pointer, "too_large", message)
        if self._nodes > MOST_NODES:
            raise Refused

    def table(self, raw: object, pointer: str, what: str) -> Mapping[str, Any]:
        if not isinstance(raw, dict):
            self.refuse(pointer, "wrong_type", f"{what} must be an object, not {shown(raw)}")
        return raw

    def keys(self, raw: Mapping[str, Any], pointer: str, allowed: Collection[str]) -> None:
        """Refuse a key that would otherwise be ignored without a word."""
        for key in raw:
            if key not in allowed:
                known = ", ".join(sorted(allowed))
                message = f"{shown(key)} is not known here; known are {known}"
                self.refuse(child(pointer, key), "unknown_key", message)

    def required(self, raw: Mapping[str, Any], pointer: str, key: str) -> Any:
        if key not in raw:
            self.refuse(pointer, "missing_key", f"{key!r} is missing")
        return raw[key]

    def text(self, raw: object, pointer: str, what: str) -> str:
        """Text that can be stored anywhere and shown whole."""
        if not isinstance(raw, str):
            self.refuse(pointer, "wrong_type", f"{what} must be text, not {shown(raw)}")
        if not raw or len(raw) > MOST_TEXT:
            self.refuse(pointer, "bad_text", f"{what} must have 1 to {MOST_TEXT} characters")
        if "\0" in raw or any("\ud800" <= each <= "\udfff" for each in raw):
            self.refuse(pointer, "bad_text", f"{what} has characters that are not text")
        return raw

    def duration(self, raw: object, pointer: str, longest: Duration = _LONGEST) -> str:
        """The text of a duration, checked; its length is read when the rule is compiled."""
        text = self.text(raw, pointer, "a duration")
        try:
            length = duration(text)
        except ValueError:
            message = f"{shown(text)} is not a duration such as 30s, 15m, 36h, 90d or P7D"
            self.refuse(pointer, "bad_duration", message)
        if not 0 < length <= longest:
            message = f"a duration here is longer than nothing and at most {longest // DAY} days"
            self.refuse(pointer, "duration_out_of_range", message)
        return text


def child(pointer: str, key: object) -> str:
    """The pointer to a member of what `pointer` points to (RFC 6901)."""
    return f"{pointer}/{encodable(str(key)[:_SHOWN]).replace('~', '~0').replace('/', '~1')}"


def shown(raw: object) -> str:
    """A value in a message: short, whatever it is."""
    if isinstance(raw, dict):
        return "an object"
    if isinstance(raw, (list, tuple)):
        return "a list"
    if raw is None:
        return "null"
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, str):
        return quoted(raw)
    return "a number" if isinstance(raw, (int, float)) else "something that is not JSON"


def quoted(text: str) -> str:
    """Quoted, cut, and free of what cannot be encoded."""
    cut = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return f'"{encodable(cut)}"'


def encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
