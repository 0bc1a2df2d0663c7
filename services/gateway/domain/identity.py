"""What an identity provider says of somebody, and what that makes them here."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

_LONGEST: Final = 200


class Identity(Struct, frozen=True):
    """`email` only where the provider vouches for it; `subject` is the same for ever."""

    subject: bytes
    email: str | None
    name: str
    groups: tuple[str, ...]


def identity_of(claims: Mapping[str, Any], groups_claim: str) -> Identity:
    """From the claims of a token that was verified."""
    subject = hashlib.sha256(f"{claims['iss']}\0{claims['sub']}".encode()).digest()
    email = claims.get("email") if claims.get("email_verified") is True else None
    email = email if isinstance(email, str) else None
    names = (claims.get("name"), claims.get("preferred_username"), email, "?")
    name = next(each for each in names if isinstance(each, str) and each)
    given = claims.get(groups_claim)
    groups: Sequence[Any] = given if isinstance(given, list) else [given]
    return Identity(
        subject, email, name[:_LONGEST], tuple(each for each in groups if isinstance(each, str))
    )


def role_for(groups: Sequence[str], roles: Mapping[str, str]) -> str | None:
    """The role of the first group in `roles` that somebody is in."""
    return next((role for group, role in roles.items() if group in groups), None)
