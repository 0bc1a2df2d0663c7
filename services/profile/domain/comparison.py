"""Where two documents differ, place by place."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

_ABSENT: Final = object()


class Difference(Struct, frozen=True):
    """`path`: names joined by dots; `stored` or `rebuilt` is None where there is nothing."""

    path: str
    stored: Any
    rebuilt: Any


def compare(stored: Any, rebuilt: Any, path: str = "") -> Iterator[Difference]:
    """Structs, maps and lists are gone into; everything else differs as a whole."""
    stored, rebuilt = _plain(stored), _plain(rebuilt)
    if isinstance(stored, Mapping) and isinstance(rebuilt, Mapping):
        for name in sorted(stored.keys() | rebuilt.keys(), key=str):
            yield from compare(
                stored.get(name, _ABSENT), rebuilt.get(name, _ABSENT), _join(path, name)
            )
    elif _listed(stored) and _listed(rebuilt):
        pairs = zip_longest(stored, rebuilt, fillvalue=_ABSENT)
        for place, (one, other) in enumerate(pairs):
            yield from compare(one, other, _join(path, place))
    elif stored != rebuilt:
        yield Difference(path, _shown(stored), _shown(rebuilt))


def _plain(value: Any) -> Any:
    """One level as maps and lists."""
    if isinstance(value, Raw):
        return msgspec.msgpack.decode(value)
    if isinstance(value, Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    return value


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _shown(value: Any) -> Any:
    """As it can be written as JSON."""
    value = None if value is _ABSENT else _plain(value)
    if isinstance(value, Mapping):
        return {str(name): _shown(inner) for name, inner in value.items()}
    if _listed(value):
        return [_shown(inner) for inner in value]
    return value.hex() if isinstance(value, bytes) else value
