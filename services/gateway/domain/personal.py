"""Keeps phone numbers, email addresses and identity numbers out of an event's properties."""

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from services.gateway.domain.masking import masked_text, personal_name, shown_email, shown_phone
from services.gateway.domain.pointers import escaped
from services.gateway.domain.rejection import Rejection

# Only bytes that could hold such a value are worth decoding: an @ (also escaped), seven digits,
# digits in groups, full-width digits.
_SUSPECT = re.compile(rb"@|\\u00|[0-9]{7}|[0-9]{3}[ -][0-9]{4}|\xef\xbc[\x90-\x99]|\\u[fF]{2}1")
# Names of references. An order number of eleven digits is not a phone number, and masking it would
# make two orders one.
_REFERENCE = re.compile(r"(?:^|_)(?:id|ids|no|sku|skus|code|codes|uid|key|version|url)$")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGIT = re.compile(r"\d")

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def without_personal(properties: bytes) -> bytes:
    """The properties (JSON) with personal values masked; the same bytes if there are none.

    Free text and values of any name are searched for what looks personal, except references
    (`order_id`, `sku`, …); a value whose name says phone, email or ID is masked whatever it
    looks like. Numbers keep their digits.
    """
    if not _SUSPECT.search(properties):
        return properties
    document = _decoder.decode(properties)
    cleaned = _cleaned(document, "")
    return properties if cleaned == document else _encoder.encode(cleaned)


def personal_attribute(attributes: dict[str, Any]) -> Rejection | None:
    """Why a set of attributes is refused: one of them is named as a phone, email or ID number.

    Such values are identifiers (then they belong in `customer`, where they become tokens) or not
    the platform's business (identity cards)."""
    for name, value in attributes.items():
        if value is not None and personal_name(name):
            return Rejection(
                "personal_attribute",
                f"{name!r} would be kept in clear; send phone and email as identifiers in "
                "`customer`, and identity numbers not at all",
                f"/attributes/{escaped(name)}",
            )
    return None


def _cleaned(value: Any, name: str) -> Any:
    match value:
        case dict():
            return {masked_text(key): _cleaned(part, key) for key, part in value.items()}
        case list():
            return [_cleaned(part, name) for part in value]
        case str() if personal_name(name):
            return _hidden(value)
        case str():
            return value if _reference(name) else masked_text(value)
        case bool():
            return value
        case int() if personal_name(name) and abs(value) >= 1_000_000:
            return _hidden(str(value))
        case _:
            return value


def _hidden(text: str) -> str:
    if "@" in text:
        return shown_email(text)
    return shown_phone(text) if _DIGIT.search(text) else text


def _reference(name: str) -> bool:
    return _REFERENCE.search(_CAMEL.sub("_", name).lower()) is not None
