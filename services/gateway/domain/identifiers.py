"""Identifiers as they are kept: trimmed, phone as E.164, email in lower case."""

import re
from typing import Final

import phonenumbers

from services.gateway.domain.rejection import Rejection
from zhiyin.contracts.events import NAMESPACES

MOST_CHARACTERS: Final = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_CHINESE_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})", re.ASCII)
_EMAIL = re.compile(r"[^\s@,;<>()\"\\]{1,64}@(?:[^\s@.,;<>()\"\\]+\.)+[^\s@.,;<>()\"\\]{2,63}")
# What broken integrations send when they have no value. One such "person" would swallow everybody.
_PLACEHOLDERS: Final = frozenset({"null", "undefined", "none", "nan", "n/a", "[object object]"})


def normalised(namespace: str, value: object, region: str = "CN") -> str | Rejection:
    """The value under which an identifier is looked up, or why it cannot be one.

    The rejection's pointer is empty: the caller knows where the value stood. `region` is where a
    phone number without country code belongs (ISO 3166).
    """
    if namespace not in NAMESPACES:
        return Rejection("unknown_namespace", f"identifiers are {', '.join(NAMESPACES)}")
    if not isinstance(value, str):
        return Rejection("wrong_type", "an identifier is a string")
    value = value.strip()
    if refusal := _unusable(value):
        return refusal
    if namespace == "phone":
        return _phone(value, region)
    if namespace == "email":
        return _email(value)
    return value


def _unusable(value: str) -> Rejection | None:
    if not value:
        return Rejection("empty_identifier", "an identifier must not be empty; leave it out")
    if _CONTROL.search(value):
        return Rejection("invalid_identifier", "an identifier has no control characters")
    if value.lower() in _PLACEHOLDERS:
        return Rejection("placeholder_identifier", f"{value!r} identifies nobody; leave it out")
    if len(value) > MOST_CHARACTERS:
        return Rejection("invalid_identifier", f"at most {MOST_CHARACTERS} characters")
    return None


def _phone(value: str, region: str) -> str | Rejection:
    bare = value.replace(" ", "").replace("-", "")
    if region == "CN" and (mobile := _CHINESE_MOBILE.fullmatch(bare)):
        return f"+86{mobile[1]}"  # what nearly all are; parsing one in full costs 50 times as much
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return Rejection("invalid_phone", "not a phone number; send E.164, such as +8613800001111")
    if not phonenumbers.is_valid_number(number):
        return Rejection(
            "invalid_phone", "no such phone number; send E.164, such as +8613800001111"
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(value: str) -> str | Rejection:
    value = value.lower()
    if not _EMAIL.fullmatch(value):
        return Rejection("invalid_email", "not an email address such as name@example.com")
    return value
