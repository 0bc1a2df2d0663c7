"""Why a rule holds for a person, or why not: clause by clause."""

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.rules.compiling.leaf import CompiledLeaf
from zhiyin.rules.person import Person
from zhiyin.rules.tree import Leaf
from zhiyin.rules.unparse import leaf
from zhiyin.rules.verdict import Evaluate


class Explanation(Struct, frozen=True):
    """One clause. `clause`: its kind (`all`, `fact`, `count`, …); `pointer`: where it stands in the
    rule; `required`: the clause as written; `value`: what was found, as the profile shows it;
    `evidence`: ids of the events that show it, newest first. A clause of clauses has only those.
    """

    clause: str
    pointer: str
    matches: bool
    next_flip: Instant | None
    required: dict[str, Any] | None = None
    value: Any = None
    evidence: tuple[str, ...] = ()
    clauses: tuple["Explanation", ...] = ()

    def view(self) -> dict[str, Any]:
        """As JSON for people: instants in RFC 3339."""
        head = {
            "clause": self.clause,
            "pointer": self.pointer,
            "matches": self.matches,
            "next_flip": None if self.next_flip is None else rfc3339(self.next_flip),
        }
        if self.required is None:
            return head | {"clauses": [each.view() for each in self.clauses]}
        found = {"required": self.required, "value": self.value, "evidence": list(self.evidence)}
        return head | found


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
    matches, next_flip = node.evaluate(person, now)
    if isinstance(node, Tip):
        required = leaf(node.rule)
        found = node.leaf.find(person, now)
        return Explanation(
            next(iter(required)), pointer, matches, next_flip, required, found.value, found.evidence
        )
    inside = f"{pointer}/{node.name}"
    return Explanation(
        node.name,
        pointer,
        matches,
        next_flip,
        clauses=tuple(
            explain_node(part, person, now, inside if node.name == "not" else f"{inside}/{index}")
            for index, part in enumerate(node.parts)
        ),
    )
