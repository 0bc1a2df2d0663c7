"""From a written rule to its JSON tree.

rule    = all ("or" all)*             all  = one ("and" one)*
one     = "not" one | "(" rule ")" | "all(" rule, … ")" | "any(" rule, … ")" | clause
clause  = path test | "tag" name | "segment" name | "anniversary(" path ")" "within" duration
        | "count(" events ")" test | ("sum"|"max"|"min") "(" property "of" events ")" test
        | ("last"|"first") "(" events ")" age+ | "streak(" events ")" test
events  = type ["where" property test ("and" property test)*] ["within" duration]
test    = ("=" "!=" ">" ">=" "<" "<=" "contains" "starts with") value | "exists" | "missing"
        | "between" value "and" value | ("in" "not in" "any of" "all of" "none of") "(" value, … ")"
        | age                         age  = ("older" | "newer") "than" duration
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from msgspec.structs import replace

from zhiyin.rules.errors import Place, RuleError
from zhiyin.rules.parse import parse
from zhiyin.rules.text.cursor import Cursor, Tree
from zhiyin.rules.tree import Rule

_MOST_DEPTH: Final = 60
_AGES: Final[tuple[Literal["older", "newer"], ...]] = ("older", "newer")


@dataclass(frozen=True, slots=True)
class Written:
    """A rule that came as text. `place(pointer)`: where what a pointer into its tree points at was
    written, or what is nearest around it."""

    rule: Rule
    place: Callable[[str], Place]


def read_text(text: str) -> Written:
    """The rule a text says. Raises RuleError; each problem has the place it was found at, and no
    pointer, for there is no JSON to point into."""
    reader = _Reader(text)
    tree = reader.whole()
    try:
        return Written(parse(tree), lambda pointer: reader.place(pointer, tree))
    except RuleError as error:
        problems = error.problems
        raise RuleError(
            tuple(
                replace(each, pointer="", place=reader.place(each.pointer, tree))
                for each in problems
            )
        ) from None


def parse_text(text: str) -> Rule:
    """As `read_text`, the rule alone."""
    return read_text(text).rule


class _Reader(Cursor):
    """The grammar; one method for each of its lines."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def whole(self) -> Tree:
        if self.next.kind == "end":
            self.refuse("a rule is missing")
        rule = self._rule()
        after = self.token()
        if after.kind != "end":
            self.refuse(f"“and” or “or” is missing before {after.shown}", after.at)
        return rule

    def _rule(self) -> Tree:
        return self._joined("or", "any", self._conjunction)

    def _conjunction(self) -> Tree:
        return self._joined("and", "all", self._one)

    def _joined(self, word: str, name: str, part: Callable[[], Tree]) -> Tree:
        start = self.next.at
        clauses = self.listed(lambda: self.take(word), part)
        if len(clauses) == 1:
            return clauses[0]
        tree: Tree = {}
        self.put(tree, name, clauses, start)
        return tree

    def _one(self) -> Tree:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            self.refuse("brackets and “not” are nested too deep here")
        start = self.next.at
        if self.take("not"):
            tree: Tree = {}
            self.put(tree, "not", self._one(), start)
        elif self.sign("("):
            tree = self._rule()
            self.expect(")")
        else:
            tree = self._clause()
        self._depth -= 1
        return tree

    def _clause(self) -> Tree:
        token = self.next
        function = token.lowered if self._opens(1) else ""
        match function:
            case "all" | "any":
                return self._group(function)
            case "count" | "sum" | "max" | "min" | "streak":
                return self._number(function)
            case "last" | "first":
                return self._recency(function)
            case "anniversary":
                return self._anniversary()
            case _:
                return self._plain()

    def _plain(self) -> Tree:
        token = self.next
        named = self.tokens[self.index + 1].kind if token.kind != "end" else "end"
        if token.lowered in ("tag", "segment") and named in ("word", "text"):
            return self._membership(token.lowered)
        return self._fact()

    def _opens(self, ahead: int) -> bool:
        place = self.index + ahead
        return place < len(self.tokens) and self.tokens[place][:2] == ("sign", "(")

    def _group(self, name: str) -> Tree:
        tree: Tree = {}
        start = self.token().at
        self.expect("(")
        self.put(tree, name, self.listed(lambda: self.sign(","), self._rule), start)
        self.expect(")")
        return tree

    def _membership(self, kind: str) -> Tree:
        tree: Tree = {}
        self.token()
        at = self.next.at
        self.put(tree, kind, self.name(f"a {kind}"), at)
        return tree

    def _fact(self) -> Tree:
        tree: Tree = {}
        at = self.next.at
        self.put(tree, "fact", self.name("a fact, a function or “not”"), at)
        self._test(tree)
        return tree

    def _number(self, function: str) -> Tree:
        tree: Tree = {}
        start = self.token().at
        body: Tree = {}
        self.expect("(")
        if function in ("sum", "max", "min"):
            at = self.next.at
            self.put(body, "property", self.name("a property"), at)
            if not self.take("of"):
                self.refuse(f"“of” and an event type are missing before {self.next.shown}")
        self._events(body, windowed=function != "streak")
        self.expect(")")
        self.put(tree, function, body, start)
        self._test(tree)
        return tree

    def _recency(self, which: str) -> Tree:
        tree: Tree = {}
        start = self.token().at
        body: Tree = {}
        self.expect("(")
        self._events(body, windowed=False)
        self.expect(")")
        self.put(tree, which, body, start)
        while (side := next((each for each in _AGES if self.take(each, "than")), None)) is not None:
            if f"{side}_than" in tree:
                self.refuse(f"“{side} than” is said twice", self.tokens[self.index - 2].at)
            self.duration(tree, f"{side}_than")
        if len(tree) == 1:
            self.refuse(f"“older than” or “newer than” is missing before {self.next.shown}")
        return tree

    def _anniversary(self) -> Tree:
        tree: Tree = {}
        self.token()
        self.expect("(")
        at = self.next.at
        self.put(tree, "anniversary", self.name("a fact"), at)
        self.expect(")")
        if not self.take("within"):
            self.refuse(f"“within” and a duration are missing before {self.next.shown}")
        self.duration(tree, "within")
        return tree

    def _events(self, body: Tree, *, windowed: bool) -> None:
        at = self.next.at
        self.put(body, "event", self.name("an event type"), at)
        if self.take("where"):
            self.put(body, "where", {}, at)
            self._condition(body["where"])
            while self.take("and"):
                self._condition(body["where"])
        if windowed and self.take("within"):
            self.duration(body, "within")

    def _condition(self, where: Tree) -> None:
        at = self.next.at
        name = self.name("a property")
        if name not in where:
            self.put(where, name, {}, at)
        tests: Tree = where[name]
        op_at = self.next.at
        op = self.op()
        if op in tests:
            self.refuse(f"the same comparison of “{name[:40]}” is said twice", op_at)
        self.put(tests, op, None, op_at)
        value_at = self.next.at
        if op in ("exists", "missing"):
            self.put(tests, op, True, op_at)
        else:
            self.put(tests, op, self.value(op), value_at)

    def _test(self, tree: Tree) -> None:
        at = self.next.at
        op = self.op()
        self.put(tree, "op", op, at)
        if op not in ("exists", "missing"):
            value_at = self.next.at
            self.put(tree, "value", self.value(op), value_at)
