"""The way into the rule language."""

from zhiyin.rules.errors import RuleError
from zhiyin.rules.reading.events import read_where
from zhiyin.rules.reading.logic import read_rule
from zhiyin.rules.reading.reader import Reader, Refused
from zhiyin.rules.tree import Condition, Rule


def parse(tree: object, pointer: str = "", *, quintiles: bool = True) -> Rule:
    """Read a rule from its JSON tree. Raises RuleError with every problem found; `pointer` is
    where the tree stands in the document it came with; `quintiles`: whether it may read scores by
    the population's cut points, which only segmentation knows."""
    reader = Reader(quintiles=quintiles)
    try:
        return read_rule(reader, tree, pointer)
    except Refused:
        raise RuleError(tuple(reader.problems)) from None


def parse_where(tree: object, pointer: str = "") -> tuple[Condition, ...]:
    """Read the conditions on one event's properties (an event trigger's `where`)."""
    reader = Reader()
    try:
        return read_where(reader, tree, pointer)
    except Refused:
        raise RuleError(tuple(reader.problems)) from None
