"""Why a rule holds for a person, or why not: clause by clause."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from msgspec import Struct

from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.rules.compiling.leaf import CompiledLeaf
from zhiyin.rules.options import DEFAULT, Options
from zhiyin.rules.person import Person
from zhiyin.rules.tree import Leaf
from zhiyin.rules.unparse import leaf
from zhiyin.rules.verdict import Evaluate, Verdict
from zhiyin.rules.words.language import LANGUAGES
from zhiyin.rules.words.phrases import phrase

# Days that come round every year have no last flip; a rule that joins two of them may never turn.
_MOST_STEPS: Final = 500


class Explanation(Struct, frozen=True):
    """One clause. `clause`: its kind (`all`, `fact`, `count`, …); `pointer`: where it stands in the
    rule; `next_flip`: when its answer turns around if no event arrives; `rule`: the clause itself;
    `value`: what was found, as the profile shows it; `evidence`: ids of the events that show it,
    newest first. A clause of clauses has only those.
    """

    clause: str
    pointer: str
    matches: bool
    next_flip: Instant | None
    rule: Leaf | None = None
    value: Any = None
    evidence: tuple[str, ...] = ()
    clauses: tuple["Explanation", ...] = ()

    @property
    def required(self) -> dict[str, Any] | None:
        """The clause as written."""
        return None if self.rule is None else leaf(self.rule)

    @property
    def becomes(self) -> bool | None:
        """What the answer will be from `next_flip` on; None when time changes nothing."""
        return None if self.next_flip is None else not self.matches

    def events(self) -> Iterator[str]:
        """Ids of all events that show something, with repeats."""
        yield from self.evidence
        for each in self.clauses:
            yield from each.events()

    def view(self, options: Options = DEFAULT) -> dict[str, Any]:
        """As JSON for people: instants in RFC 3339, what is required in words."""
        head = {
            "clause": self.clause,
            "pointer": self.pointer,
            "matches": self.matches,
            "next_flip": None if self.next_flip is None else rfc3339(self.next_flip),
            "becomes": self.becomes,
        }
        if self.rule is None:
            return head | {"clauses": [each.view(options) for each in self.clauses]}
        return head | {
            "required": leaf(self.rule),
            "value": self.value,
            "evidence": list(self.evidence),
            "words": {each: phrase(self.rule, options, each) for each in LANGUAGES},
        }


class Truth(NamedTuple):
    """One single clause as of an instant: where it stands, and whether it held."""

    pointer: str
    matches: bool


@dataclass(frozen=True, slots=True)
class Tip:
    rule: Leaf
    leaf: CompiledLeaf

    @property
    def evaluate(self) -> Evaluate:
        return self.leaf.evaluate


@dataclass(frozen=True, slots=True)
class Branch:
    name: str
    evaluate: Evaluate
    parts: "tuple[Node, ...]"


Node = Tip | Branch


def explain_node(node: Node, person: Person, now: Instant, pointer: str = "") -> Explanation:
    matches, flip = true_flip(node.evaluate, person, now)
    if isinstance(node, Tip):
        found = node.leaf.find(person, now)
        name = next(iter(leaf(node.rule)))
        return Explanation(name, pointer, matches, flip, node.rule, found.value, found.evidence)
    return Explanation(
        node.name,
        pointer,
        matches,
        flip,
        clauses=tuple(
            explain_node(part, person, now, inside) for inside, part in _parts(node, pointer)
        ),
    )


def truths(node: Node, person: Person, now: Instant, pointer: str = "") -> Iterator[Truth]:
    """Of every single clause; much cheaper than an explanation, which looks ahead in time."""
    if isinstance(node, Tip):
        yield Truth(pointer, node.evaluate(person, now).matches)
        return
    for inside, part in _parts(node, pointer):
        yield from truths(part, person, now, inside)


def leaves_of(node: Node, pointer: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every single clause with where it stands."""
    if isinstance(node, Tip):
        yield pointer, node.rule
        return
    for inside, part in _parts(node, pointer):
        yield from leaves_of(part, inside)


def _parts(node: Branch, pointer: str) -> Iterator[tuple[str, Node]]:
    inside = f"{pointer}/{node.name}"
    for index, part in enumerate(node.parts):
        yield inside if node.name == "not" else f"{inside}/{index}", part


def true_flip(evaluate: Evaluate, person: Person, now: Instant) -> Verdict:
    """The answer, and when it does turn around: a `next_flip` at which nothing turns is followed
    to the next one."""
    verdict = evaluate(person, now)
    later = verdict
    for _ in range(_MOST_STEPS):
        if later.next_flip is None:
            return Verdict(verdict.matches, None)
        at = later.next_flip
        later = evaluate(person, at)
        if later.matches != verdict.matches:
            return Verdict(verdict.matches, at)
    return Verdict(verdict.matches, None)
