"""Rules from JsonLogic (https://jsonlogic.com/operations.html), as far as they can be said here.

`var` names a fact by its path. A fact that is not there satisfies no order (JsonLogic takes it for
zero); `== null` asks whether it is missing. What computes (`+`, `map`, `if`, …) is refused.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn

from zhiyin.rules.errors import RuleError, RuleProblem
from zhiyin.rules.parse import parse
from zhiyin.rules.reading.reader import child, quoted, shown
from zhiyin.rules.tree import Op, Rule

Tree = dict[str, Any]

_MOST_DEPTH: Final = 40
_COMPARISONS: Final[dict[str, Op]] = {
    "==": "eq",
    "===": "eq",
    "!=": "ne",
    "!==": "ne",
    ">": "gt",
    ">=": "gte",
    "<": "lt",
    "<=": "lte",
}
_TURNED: Final[dict[Op, Op]] = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}
_KNOWN: Final = (
    "and, or, !, !!, ==, ===, !=, !==, >, >=, <, <=, in, missing, some and none over the values "
    "of a fact"
)


def from_jsonlogic(logic: object, pointer: str = "") -> Rule:
    """The rule a JsonLogic document says. Raises RuleError, whose pointers go into that document,
    `pointer` being where it stands."""
    reader = _Import()
    tree = reader.rule(logic, pointer)
    try:
        return parse(tree)
    except RuleError as error:
        raise RuleError(
            tuple(reader.placed(each, tree, pointer) for each in error.problems)
        ) from None


class _Import:
    """`_places`: from what, at which pointer, a member of a table or list was made."""

    def __init__(self) -> None:
        self._places: dict[tuple[int, str], str] = {}
        self._depth = 0

    def placed(self, problem: RuleProblem, tree: Tree, pointer: str) -> RuleProblem:
        found: Any = tree
        at = pointer
        for step in problem.pointer.split("/")[1:]:
            # A list without places of its own is the author's.
            inside = child(at, step) if isinstance(found, list) else at
            at = self._places.get((id(found), step), inside)
            found = found[int(step)] if isinstance(found, list) else found.get(step)
            if not isinstance(found, (list, dict)):
                break
        return RuleProblem(at, problem.code, problem.message)

    def rule(self, raw: object, pointer: str) -> Tree:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            _refuse(pointer, "too_deep", f"a rule is at most {_MOST_DEPTH} levels deep")
        name, given = _operation(raw, pointer)
        read = self._reader(name)
        if read is None:
            message = f"{quoted(name)} cannot be said as a rule; what can: {_KNOWN}"
            _refuse(child(pointer, name), "not_expressible", message)
        tree = read(given, child(pointer, name))
        self._depth -= 1
        return tree

    def _reader(self, name: str) -> Callable[[Any, str], Tree] | None:
        if name in _COMPARISONS:
            return lambda given, at: self._comparison(_COMPARISONS[name], given, at)
        return {
            "and": lambda given, at: self._several("all", given, at),
            "or": lambda given, at: self._several("any", given, at),
            "!": lambda given, at: {"not": self._truth(given, at)},
            "!!": self._truth,
            "var": self._flag,
            "in": self._membership,
            "missing": self._missing,
            "some": lambda given, at: self._values("any_of", given, at),
            "none": lambda given, at: self._values("none_of", given, at),
        }.get(name)

    def _put(self, table: Tree, key: str, value: Any, at: str) -> None:
        table[key] = value
        self._places[id(table), key] = at

    def _fact(self, path: str, op: Op, value: Any, at: str, value_at: str) -> Tree:
        tree: Tree = {}
        self._put(tree, "fact", path, at)
        self._put(tree, "op", op, at)
        if value is None:
            tree["op"] = {"eq": "missing", "ne": "exists"}.get(op, op)
        if value is not None or tree["op"] == op:
            self._put(tree, "value", value, value_at)
        return tree

    def _several(self, name: str, given: object, at: str) -> Tree:
        clauses: list[Tree] = []
        for index, each in enumerate(_listed(given, at, 1)):
            self._places[id(clauses), str(index)] = child(at, index)
            clauses.append(self.rule(each, child(at, index)))
        tree: Tree = {}
        self._put(tree, name, clauses, at)
        return tree

    def _truth(self, given: object, at: str) -> Tree:
        if isinstance(given, list):
            only = _listed(given, at, 1, 1)
            return self.rule(only[0], child(at, 0))
        return self.rule(given, at)

    def _flag(self, given: object, at: str) -> Tree:
        """A variable standing alone is a flag that must be set."""
        return self._fact(_path(given, at), "eq", True, at, at)

    def _comparison(self, op: Op, given: object, at: str) -> Tree:
        sides = _listed(given, at, 2, 3 if op in ("lt", "lte") else 2)
        if len(sides) == 3:
            return self._between(op, sides, at)
        left, right = (_variable(each, child(at, index)) for index, each in enumerate(sides))
        if left is not None:
            value = _literal(sides[1], child(at, 1))
            return self._fact(left, op, value, child(at, 0), child(at, 1))
        if right is None:
            _refuse(at, "not_expressible", 'one side must be a fact, {"var": …}')
        value = _literal(sides[0], child(at, 0))
        return self._fact(right, _TURNED.get(op, op), value, child(at, 1), child(at, 0))

    def _between(self, op: Op, sides: list[Any], at: str) -> Tree:
        path = _variable(sides[1], child(at, 1))
        if path is None:
            message = 'of three the one in the middle must be a fact, {"var": …}'
            _refuse(child(at, 1), "not_expressible", message)
        middle = child(at, 1)
        low, high = (_literal(sides[index], child(at, index)) for index in (0, 2))
        if op == "lte":
            bounds = [low, high]
            self._places[id(bounds), "0"] = child(at, 0)
            self._places[id(bounds), "1"] = child(at, 2)
            return self._fact(path, "between", bounds, middle, at)
        clauses = [
            self._fact(path, "gt", low, middle, child(at, 0)),
            self._fact(path, "lt", high, middle, child(at, 2)),
        ]
        return {"all": clauses}

    def _membership(self, given: object, at: str) -> Tree:
        """A fact among values, or a value among those of a fact."""
        one, many = _listed(given, at, 2, 2)
        path = _variable(one, child(at, 0))
        if path is not None:
            if not isinstance(many, list):
                message = f"a fact is looked for in a list of values, not in {shown(many)}"
                _refuse(child(at, 1), "not_expressible", message)
            return self._fact(path, "in", many, child(at, 0), child(at, 1))
        path = _variable(many, child(at, 1))
        if path is None:
            _refuse(at, "not_expressible", 'one side must be a fact, {"var": …}')
        value = _literal(one, child(at, 0))
        return self._fact(path, "contains", value, child(at, 1), child(at, 0))

    def _missing(self, given: object, at: str) -> Tree:
        """True when one of them is missing."""
        if isinstance(given, list) and len(given) != 1:
            paths = [(each, child(at, index)) for index, each in enumerate(_listed(given, at, 1))]
            return {"any": [self._fact(_path(each, to), "eq", None, to, to) for each, to in paths]}
        return self._fact(_path(given, at), "eq", None, at, at)

    def _values(self, op: Op, given: object, at: str) -> Tree:
        """`some` and `none` over a list: a test of each value for equality or membership."""
        source, test = _listed(given, at, 2, 2)
        path = _variable(source, child(at, 0))
        name, sides = _operation(test, child(at, 1))
        inside = child(child(at, 1), name)
        if path is None or name not in ("==", "===", "in"):
            _refuse(at, "not_expressible", 'the values of a fact can be compared by "==" or "in"')
        one, other = _listed(sides, inside, 2, 2)
        if _variable(one, child(inside, 0)) != "":
            message = '{"var": ""} must come first: the value being looked at'
            _refuse(child(inside, 0), "not_expressible", message)
        at_value = child(inside, 1)
        value = other
        if name != "in":
            value = [_literal(other, at_value)]
            self._places[id(value), "0"] = at_value
        return self._fact(path, op, value, child(at, 0), at_value)


def _operation(raw: object, pointer: str) -> tuple[str, Any]:
    if not isinstance(raw, dict) or len(raw) != 1:
        what = "an object with several members" if isinstance(raw, dict) else shown(raw)
        _refuse(pointer, "wrong_type", f'a JsonLogic rule is {{"operation": […]}}, not {what}')
    ((name, given),) = raw.items()
    return str(name), given


def _listed(given: object, at: str, least: int, most: int = 500) -> list[Any]:
    if not isinstance(given, list):
        _refuse(at, "wrong_type", f"must be a list, not {shown(given)}")
    if not least <= len(given) <= most:
        many = f"{least}" if least == most else f"{least} to {most}"
        _refuse(at, "bad_list", f"takes {many} values here, not {len(given)}")
    return given


def _variable(raw: object, at: str) -> str | None:
    """The path if this is `{"var": path}`; None for a plain value."""
    if not isinstance(raw, dict):
        return None
    name, given = _operation(raw, at)
    if name != "var":
        message = f"{quoted(name)} computes a value; only facts and plain values are compared"
        _refuse(child(at, name), "not_expressible", message)
    if given == "" or given == []:
        return ""
    return _path(given, child(at, name))


def _path(given: object, at: str) -> str:
    if isinstance(given, list):
        if len(given) > 1:
            _refuse(child(at, 1), "not_expressible", "a fact has no default here")
        given = given[0] if given else None
    if not isinstance(given, str):
        _refuse(at, "wrong_type", f"must be the path of a fact, not {shown(given)}")
    return given


def _literal(raw: object, at: str) -> Any:
    if isinstance(raw, (dict, list)):
        message = f"must be a plain value to compare with, not {shown(raw)}"
        _refuse(at, "not_expressible", message)
    return raw


def _refuse(pointer: str, code: str, message: str) -> NoReturn:
    raise RuleError((RuleProblem(pointer, code, message),))
