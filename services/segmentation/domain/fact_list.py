"""The catalogue of facts: what a rule may read, with words, units, comparisons and examples."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from zhiyin.contracts.profiles import Snapshot
from zhiyin.contracts.rules import FactView, ValueView
from zhiyin.rules.options import Options
from zhiyin.rules.paths import FactPath, Kind, fixed_paths, locate, ops_of
from zhiyin.rules.words.facts import CHOICES, FIXED, NAMED, FactWords, words_of
from zhiyin.rules.words.language import Words, same

# An example that fewer people share would say something about one of them.
LEAST_SHARED: Final = 3
_MOST_EXAMPLES: Final = 10
_PLACEHOLDER: Final = "<name>"
_MOVING: Final = frozenset({"rfm", "quintiles", "lifecycle", "life", "as_of", "tags", "segments"})
_NAMED_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "attributes": ("",),
    "consents": ("",),
    "categories": ("orders", "quantity", "total", "last_at"),
}


class Seen(Struct, frozen=True):
    """A name that some customer's data has brought: `attributes.city` and what kind of value it
    had (`text number flag list time`; empty where the kind is known anyway)."""

    name: str
    kind: str = ""


def fact_list(seen: Sequence[Seen], sample: Sequence[Snapshot], options: Options) -> list[FactView]:
    """The facts of every profile, then the forms of those that data names, then those seen."""
    fixed = [_fixed(path, seen, options) for path in fixed_paths()]
    forms = [_form(key, words, options) for key, words in NAMED.items()]
    kinds: dict[str, set[str]] = {}
    for each in seen:
        kinds.setdefault(each.name, set()).add(each.kind)
    paths = [path for name in sorted(kinds) for path in _paths(name)]
    return [*fixed, *forms, *(_named(path, kinds, sample, options) for path in paths)]


def _fixed(path: str, seen: Sequence[Seen], options: Options) -> FactView:
    fact = _known(path)
    words = FIXED.get(path) or FactWords(Words(path, path))
    example = words.example if isinstance(words.example, list) else [words.example]
    if path == "tags":
        example = _names(seen, "tags.") or example
    return _view(path, fact, words, options, [one for one in example if one is not None])


def _form(key: str, words: FactWords, options: Options) -> FactView:
    root, _, field = key.partition(".")
    name = "phone" if root == "identifiers" else _PLACEHOLDER
    path = f"{root}.{name}.{field}" if field else f"{root}.{name}"
    example = words.example if isinstance(words.example, list) else [words.example]
    shown = path.replace(".phone", f".{_PLACEHOLDER}")
    said = FactWords(_about(words.name, _PLACEHOLDER), words.unit)
    return _view(shown, _known(path), said, options, example)


def _named(
    path: str, kinds: Mapping[str, set[str]], sample: Sequence[Snapshot], options: Options
) -> FactView:
    fact = _known(path)
    found = [value for one in sample if (value := _value(one, fact)) is not None]
    known = kinds.get(f"{fact.root}.{fact.name}", set())
    kind = next(iter(known)) if fact.kind is Kind.ANY and len(known) == 1 else fact.kind
    # Of health nothing is shown that anybody has said.
    health = fact.name.startswith("health.")
    examples = [] if health or fact.root != "attributes" else shared(found)
    return _view(path, fact, words_of(path), options, examples, kind=kind, seen_in=len(found))


def _view(
    path: str,
    fact: FactPath,
    words: FactWords,
    options: Options,
    examples: Sequence[Any],
    *,
    kind: str | None = None,
    seen_in: int | None = None,
) -> FactView:
    money = Words(options.currency, options.currency) if fact.kind is Kind.MONEY else None
    return FactView(
        path=path,
        type=str(kind or fact.kind),
        name=both(words.name),
        unit=None if (unit := words.unit or money) is None else both(unit),
        ops=sorted(ops_of(fact)),
        values=_choices(fact) or None,
        examples=list(examples),
        seen_in=seen_in,
        moved_by_time=fact.root in _MOVING,
    )


def _choices(fact: FactPath) -> list[ValueView]:
    return [ValueView(each, both(CHOICES.get(each) or same(each))) for each in fact.choices]


def shared(values: Iterable[Any]) -> list[Any]:
    """The values that enough people have, commonest first; of lists, what is in them."""
    counts = Counter(
        one
        for value in values
        for one in (set(value) if isinstance(value, list) else (value,))
        if one is not None
    )
    ranked = sorted(counts.items(), key=lambda each: (-each[1], str(each[0])))
    return [value for value, times in ranked if times >= LEAST_SHARED][:_MOST_EXAMPLES]


def both(words: Words) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}


def _paths(name: str) -> Iterator[str]:
    root = name.partition(".")[0]
    for field in _NAMED_FIELDS.get(root, ()):
        path = f"{name}.{field}" if field else name
        if locate(path) is not None:
            yield path


def _names(seen: Iterable[Seen], prefix: str) -> list[str]:
    return sorted({one.name[len(prefix) :] for one in seen if one.name.startswith(prefix)})


def _value(snapshot: Snapshot, fact: FactPath) -> Any:
    match fact.root:
        case "attributes":
            found = snapshot.facts.attributes.get(fact.name)
            return None if found is None else found.value
        case "consents":
            return snapshot.facts.consents.get(fact.name)
        case _:
            return snapshot.facts.categories.get(fact.name)


def _known(path: str) -> FactPath:
    fact = locate(path)
    if fact is None:
        raise ValueError(f"there is no fact {path!r}")
    return fact


def _about(words: Words, name: str) -> Words:
    return Words(words.zh.replace("*", name), words.en.replace("*", name))
