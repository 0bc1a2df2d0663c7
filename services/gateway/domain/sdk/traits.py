"""Traits as attributes: scalars and lists of them, under the names that our rules know."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from services.gateway.domain.masking import personal_name
from services.gateway.domain.pointers import escaped
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.sdk.people import TRAITS_OF_IDENTITY

_NAMES: Final = {
    "firstName": "first_name",
    "lastName": "last_name",
    "createdAt": "created_at",
    "address.city": "city",
    "address.state": "state",
    "address.country": "country",
    "address.postalCode": "postal_code",
}
_CONSENTS: Final = "consents"
_LONGEST_NAME: Final = 128
# Traits inside traits, such as `address` and `company`, are one level deep in the spec.
_DEEPEST: Final = 3


class Said(NamedTuple):
    """What an identify says of somebody; `left_out`: what of it could not be kept, and why."""

    attributes: Mapping[str, Any]
    consents: Mapping[str, bool]
    left_out: tuple[Rejection, ...]


def said(traits: Mapping[str, Any]) -> Said:
    """`consents: {purpose: true|false}` among the traits are the person's consents."""
    attributes: dict[str, Any] = {}
    left_out = []
    consents = traits.get(_CONSENTS)
    given = consents if isinstance(consents, dict) else {}
    for path, value in _flat({k: v for k, v in traits.items() if k != _CONSENTS}, "", 1):
        if path in TRAITS_OF_IDENTITY:
            continue
        if refusal := _unfit(path, value):
            left_out.append(refusal)
        else:
            attributes[_NAMES.get(path, path)] = value
    usable = {name: value for name, value in given.items() if isinstance(value, bool)}
    return Said(attributes, usable, tuple(left_out))


def _flat(traits: Mapping[str, Any], root: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in traits.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _flat(value, f"{root}{name}.", depth + 1)
        else:
            yield f"{root}{name}", value


def _unfit(path: str, value: Any) -> Rejection | None:
    pointer = f"/traits/{escaped(path)}"
    if not path or len(path) > _LONGEST_NAME:
        return Rejection("invalid_value", f"a name has 1 to {_LONGEST_NAME} characters", pointer)
    if value is not None and personal_name(path):
        return Rejection("personal_attribute", "it would be kept in clear", pointer)
    if _nested(value):
        return Rejection("wrong_type", "an attribute is a scalar or a list of scalars", pointer)
    return None


def _nested(value: Any) -> bool:
    listed = value if isinstance(value, list) else [value]
    return any(isinstance(each, dict | list) for each in listed)
