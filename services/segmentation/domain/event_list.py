"""The catalogue of events: their types and the properties that conditions may look at."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from services.segmentation.domain.fact_list import Seen, both
from zhiyin.contracts.profiles import Snapshot
from zhiyin.contracts.properties.event_types import PROPERTIES
from zhiyin.contracts.rules import EventView, PropertyView
from zhiyin.rules.words.events import event_words, property_words

_CUSTOM: Final = "events.custom."
_TYPES: Final[tuple[tuple[type, str], ...]] = (
    (bool, "flag"),
    (int, "number"),
    (float, "number"),
    (Decimal, "money"),
    (list, "list"),
    (tuple, "list"),
    (dict, "object"),
    (str, "text"),
)
_decoder: Final = msgspec.msgpack.Decoder(dict[str, Any])


def event_list(seen: Sequence[Seen], sample: Sequence[Snapshot]) -> list[EventView]:
    """Every type of the contract, then the custom ones seen, with the properties those had."""
    known = [_known(name, kind) for name, kind in PROPERTIES.items()]
    custom = sorted({each.name.removeprefix("events.") for each in seen if _is_custom(each)})
    return [*known, *(_custom(name, sample) for name in custom)]


def kind_of(value: Any) -> str:
    """What kind of value something is, as the catalogue calls it."""
    return next((name for kind, name in _TYPES if isinstance(value, kind)), "")


def _is_custom(seen: Seen) -> bool:
    return seen.name.startswith(_CUSTOM)


def _known(name: str, kind: type[Struct]) -> EventView:
    return EventView(name, both(event_words(name)), _sorted(_declared(kind)))


def _declared(kind: type[Struct]) -> Iterator[tuple[str, str]]:
    hints = get_type_hints(kind)
    for field in msgspec.structs.fields(kind):
        declared = _bare(hints[field.name])
        item = next((_bare(each) for each in get_args(declared)), None)
        if isinstance(item, type) and issubclass(item, Struct):
            # A condition on an order is met by one of its items, too.
            yield from _declared(item)
        yield field.encode_name, _type_name(declared)


def _bare(hint: Any) -> Any:
    """Without what says that it may be missing or how large it may be."""
    while get_origin(hint) in (Annotated, Union, UnionType):
        options = [each for each in get_args(hint) if each is not type(None)]
        hint = options[0]
    return hint


def _type_name(declared: Any) -> str:
    origin = get_origin(declared)
    if origin is Literal:
        return "text"
    found = origin or declared
    return next((name for kind, name in _TYPES if found is kind), "any")


def _custom(name: str, sample: Iterable[Snapshot]) -> EventView:
    found: dict[str, set[str]] = {}
    for one in sample:
        for event in one.facts.kept.get("custom", ()):
            if event.type == name:
                for key, value in _decoder.decode(event.properties).items():
                    found.setdefault(key, set()).add(kind_of(value) or "any")
    kinds = ((key, next(iter(each)) if len(each) == 1 else "any") for key, each in found.items())
    return EventView(name, both(event_words(name)), _sorted(kinds))


def _sorted(kinds: Iterable[tuple[str, str]]) -> list[PropertyView]:
    """Each property once; one that an order and its items both have is the order's."""
    return [
        PropertyView(name, kind, both(property_words(name)))
        for name, kind in sorted(dict(kinds).items())
    ]
