"""What the routes share: keys in paths, the actor, pages of short lists."""

import re
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import Depends, Header

from services.engagement.refusals import no_such
from zhiyin.contracts.segments import KEY_PATTERN
from zhiyin.runtime.web import CursorText, Page, decode_cursor, encode_cursor

_KEY: Final = re.compile(KEY_PATTERN)
_LONGEST_ID: Final = 256


def well_formed(key: str) -> str:
    """Only what can be a key gets as far as the database."""
    if not _KEY.fullmatch(key):
        raise no_such("resource called", key)
    return key


def possible_profile(profile_id: str) -> str:
    if "\0" in profile_id or len(profile_id) > _LONGEST_ID:
        raise no_such("profile", profile_id)
    return profile_id


Key = Annotated[str, Depends(well_formed)]
ProfileId = Annotated[str, Depends(possible_profile)]
Actor = Annotated[str, Header(alias="x-zhiyin-actor")]


def a_uuid(text: str, what: str) -> uuid.UUID:
    """Raises Problem (404) for what is none: nothing is called so."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise no_such(what, text) from None


def page_of(items: Sequence[tuple[str, Any]], limit: int, cursor: str | None) -> Page[Any]:
    """A page of a list that is all at hand, sorted by key; (key, what is shown)."""
    after = decode_cursor(cursor, tuple[CursorText])[0] if cursor else ""
    rest = [item for item in items if item[0] > after]
    shown = rest[:limit]
    more = encode_cursor(shown[-1][0]) if len(rest) > limit else None
    return Page([view for _, view in shown], more)
