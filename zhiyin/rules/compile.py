"""A rule as a function of a person and an instant."""

from dataclasses import dataclass

from zhiyin.contracts.instants import Instant
from zhiyin.rules.compiling.aggregates import compile_aggregate
from zhiyin.rules.compiling.calendar import compile_anniversary
from zhiyin.rules.compiling.facts import compile_fact, compile_segment, compile_tag
from zhiyin.rules.compiling.leaf import CompiledLeaf
from zhiyin.rules.compiling.logic import combine, negate
from zhiyin.rules.compiling.recency import compile_recency
from zhiyin.rules.compiling.streaks import compile_streak
from zhiyin.rules.explain import (
    Branch,
    Explanation,
    Node,
    Tip,
    Truth,
    explain_node,
    leaves_of,
    truths,
)
from zhiyin.rules.health import with_consent
from zhiyin.rules.options import DEFAULT, Options
from zhiyin.rules.person import Person
from zhiyin.rules.tree import (
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    FactIs,
    InSegment,
    Leaf,
    Not,
    Recency,
    Rule,
    Streak,
    Tagged,
)
from zhiyin.rules.verdict import Evaluate
from zhiyin.rules.words.language import LANGUAGES
from zhiyin.rules.words.phrases import phrase


@dataclass(frozen=True, slots=True)
class Compiled:
    """`evaluate(person, now)` gives a Verdict."""

    rule: Rule
    evaluate: Evaluate
    _root: Node

    def explain(self, person: Person, now: Instant) -> Explanation:
        """The same answer clause by clause, with values and evidence."""
        return explain_node(self._root, person, now)

    def truths(self, person: Person, now: Instant) -> list[Truth]:
        """Clause by clause, as it is at this instant alone."""
        return list(truths(self._root, person, now))

    def words(self, options: Options = DEFAULT) -> dict[str, dict[str, str]]:
        """Every single clause in words, by its pointer."""
        return {
            pointer: {language: phrase(leaf, options, language) for language in LANGUAGES}
            for pointer, leaf in leaves_of(self._root)
        }


def compile_rule(rule: Rule, options: Options = DEFAULT) -> Compiled:
    """Specialise a parsed rule for many evaluations. Raises ValueError for a rule that `parse`
    would have refused."""
    root = _compile(with_consent(rule), options)
    return Compiled(rule, root.evaluate, root)


def _compile(rule: Rule, options: Options) -> Node:
    match rule:
        case AllOf(clauses):
            return _branch("all", clauses, options)
        case AnyOf(clauses):
            return _branch("any", clauses, options)
        case Not(clause):
            part = _compile(clause, options)
            return Branch("not", negate(part.evaluate), (part,))
        case _:
            return Tip(rule, _leaf(rule, options))


def _branch(name: str, clauses: tuple[Rule, ...], options: Options) -> Branch:
    parts = tuple(_compile(clause, options) for clause in clauses)
    # What only events change is cheap to ask and settles most people.
    ordered = sorted(parts, key=_cost)
    return Branch(name, combine([p.evaluate for p in ordered], decisive=name == "any"), parts)


def _cost(node: Node) -> int:
    match node:
        case Branch(_, _, parts):
            return 1 + sum(map(_cost, parts))
        case Tip(FactIs() | Tagged() | InSegment()):
            return 1
        case _:
            return 3


def _leaf(rule: Leaf, options: Options) -> CompiledLeaf:
    match rule:
        case FactIs():
            return compile_fact(rule, options)
        case Aggregate():
            return compile_aggregate(rule, options)
        case Recency():
            return compile_recency(rule, options)
        case Streak():
            return compile_streak(rule, options)
        case Tagged():
            return compile_tag(rule)
        case InSegment():
            return compile_segment(rule)
        case Anniversary():
            return compile_anniversary(rule, options)
