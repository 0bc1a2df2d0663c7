"""A place in a written rule: what comes next, what is missing, and where everything stood."""

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from zhiyin.rules.errors import Place
from zhiyin.rules.text.tokens import RESERVED, SIGNS, Token, place_of, refusal, tokens
from zhiyin.rules.tree import Op, Scalar

Tree = dict[str, Any]

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,400}")
_DECIMAL: Final = re.compile(
    r"[+-]?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,4})?"
)
# A value may be called `none` or `all`, but not what must stand between clauses.
_JOINING: Final = frozenset({"and", "or", "not", "within"})
_WORD_OPS: Final[tuple[tuple[tuple[str, ...], Op], ...]] = (
    (("not", "in"), "not_in"),
    (("in",), "in"),
    (("between",), "between"),
    (("contains",), "contains"),
    (("starts", "with"), "starts_with"),
    (("exists",), "exists"),
    (("missing",), "missing"),
    (("any", "of"), "any_of"),
    (("all", "of"), "all_of"),
    (("none", "of"), "none_of"),
    (("older", "than"), "older_than"),
    (("newer", "than"), "newer_than"),
)
_LISTS: Final = frozenset({"in", "not_in", "any_of", "all_of", "none_of"})


class Cursor:
    """Reads one token ahead. `places`: where what stands in a table or list was written, by the
    identity of that table and the key in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.tokens = tokens(text)
        self.index = 0
        self.places: dict[tuple[int, str], int] = {}

    def place(self, pointer: str, tree: Tree) -> Place:
        """Where what a pointer into the tree is about stands."""
        found: Any = tree
        at = 0
        for step in pointer.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            at = self.places.get((id(found), key), at)
            found = found[int(key)] if isinstance(found, list) else found.get(key)
            if not isinstance(found, (list, dict)):
                break
        return place_of(self._text, at)

    @property
    def next(self) -> Token:
        return self.tokens[self.index]

    def refuse(self, message: str, at: int | None = None) -> NoReturn:
        raise refusal(self._text, self.next.at if at is None else at, "syntax", message)

    def token(self) -> Token:
        token = self.next
        self.index += token.kind != "end"
        return token

    def take(self, *words: str) -> bool:
        """Go behind these words if they stand here."""
        ahead = self.tokens[self.index : self.index + len(words)]
        if tuple(each.lowered for each in ahead) != words:
            return False
        self.index += len(words)
        return True

    def sign(self, sign: str) -> bool:
        found = self.next.kind == "sign" and self.next.value == sign
        self.index += found
        return found

    def expect(self, sign: str) -> None:
        if not self.sign(sign):
            self.refuse(f"“{sign}” is missing before {self.next.shown}")

    def put(self, table: Tree, key: str, value: Any, at: int) -> None:
        table[key] = value
        self.places[id(table), key] = at

    def listed(self, more: Callable[[], bool], part: Callable[[], Tree]) -> list[Tree]:
        clauses: list[Tree] = []
        while not clauses or more():
            self.places[id(clauses), str(len(clauses))] = self.next.at
            clauses.append(part())
        return clauses

    def op(self) -> Op:
        token = self.next
        if token.kind == "sign" and token.value in SIGNS:
            self.index += 1
            return SIGNS[token.value]
        op = next((op for words, op in _WORD_OPS if self.take(*words)), None)
        if op is None:
            self.refuse(f"a comparison such as “>=” or “in” is missing before {token.shown}")
        return op

    def value(self, op: Op) -> Any:
        if op in ("older_than", "newer_than"):
            return self.name("a duration such as 90d")
        if op in _LISTS:
            return self._values()
        if op != "between":
            return self._scalar()
        values: list[Scalar] = []
        self.places[id(values), "0"] = self.next.at
        values.append(self._scalar())
        if not self.take("and"):
            self.refuse(f"“and” and the greatest value are missing before {self.next.shown}")
        self.places[id(values), "1"] = self.next.at
        values.append(self._scalar())
        return values

    def _values(self) -> list[Scalar]:
        self.expect("(")
        values: list[Scalar] = []
        while not values or self.sign(","):
            self.places[id(values), str(len(values))] = self.next.at
            values.append(self._scalar())
        self.expect(")")
        return values

    def _scalar(self) -> Scalar:
        token = self.next
        if token.lowered in ("true", "false"):
            self.index += 1
            return token.lowered == "true"
        value = self.name("a value", _JOINING)
        if token.kind == "text":
            return value
        if _INTEGER.fullmatch(value):
            return int(value)
        return float(value) if _DECIMAL.fullmatch(value) else value

    def duration(self, table: Tree, key: str) -> None:
        at = self.next.at
        self.put(table, key, self.name("a duration such as 90d"), at)

    def name(self, what: str, reserved: frozenset[str] = RESERVED) -> str:
        """A word that is none of the language's own, or anything between quotes."""
        token = self.next
        if token.kind in ("sign", "end") or token.lowered in reserved:
            self.refuse(f"{what} is missing before {token.shown}")
        self.index += 1
        return token.value
