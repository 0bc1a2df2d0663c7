"""What a rule may say but probably should not: names nobody's data has, values of another kind."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from services.segmentation.domain.event_list import kind_of
from services.segmentation.domain.fact_list import Seen
from zhiyin.contracts.rules import RuleWarning
from zhiyin.rules import Rule
from zhiyin.rules.loose import many
from zhiyin.rules.paths import AGES, ORDERING, locate
from zhiyin.rules.reads import dependencies, placed_leaves
from zhiyin.rules.tree import FactIs, Leaf

_NAMED = ("attributes.", "categories.", "consents.", "tags.", "events.custom.")


def suspicions(rule: Rule, seen: Iterable[Seen]) -> list[RuleWarning]:
    """In the order of the clauses."""
    kinds: dict[str, set[str]] = {}
    for each in seen:
        kinds.setdefault(each.name, set()).add(each.kind)
    return [
        warning
        for pointer, leaf in placed_leaves(rule)
        for warning in (*_unseen(leaf, pointer, kinds), *_other_kind(leaf, pointer, kinds))
    ]


def _unseen(leaf: Leaf, pointer: str, kinds: Mapping[str, set[str]]) -> Iterator[RuleWarning]:
    for name in dependencies(leaf):
        if not name.startswith(_NAMED) or name in kinds:
            continue
        shown = name.removeprefix("events.")
        root = name.partition(".")[0]
        others = [one for one in kinds if one.startswith(f"{root}.")]
        close = get_close_matches(name[:64], others, n=1, cutoff=0.75)
        hint = f"; did you mean {close[0].removeprefix('events.')}?" if close else ""
        yield RuleWarning(pointer, "never_seen", f"nobody has {shown} yet{hint}")


def _other_kind(leaf: Leaf, pointer: str, kinds: Mapping[str, set[str]]) -> Iterator[RuleWarning]:
    fact = locate(leaf.path) if isinstance(leaf, FactIs) else None
    if fact is None or fact.root != "attributes" or fact.field != "value":
        return
    known = kinds.get(f"attributes.{fact.name}", set()) - {"list"}
    if not known or not isinstance(leaf, FactIs):
        return
    asked = _asked(leaf)
    if asked and not asked & known:
        names = " or ".join(sorted(known))
        message = (
            f"attributes.{fact.name} has only been {names}, never {' or '.join(sorted(asked))}"
        )
        yield RuleWarning(pointer, "other_kind", message)


def _asked(leaf: FactIs) -> set[str]:
    """The kinds that could pass the comparison."""
    if leaf.op in AGES:
        return {"time"}
    asked = {kind_of(each) for each in many(leaf.value)}
    if leaf.op in ORDERING:
        return {"number", "time", "text"} if "text" in asked else {"number"}
    # A number and the text that spells it are equal, and a date is text.
    return (
        asked
        | ({"number", "time"} if "text" in asked else set())
        | ({"text"} if "number" in asked else set())
    )
