"""Page cursors: opaque text that says where the next page starts."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from fastapi import Query
from msgspec import Meta, Struct

from zhiyin.runtime.problems import Problem

T = TypeVar("T")
# What may stand in a cursor: anybody can make one up, and PostgreSQL cannot look up all that
# MessagePack can say.
CursorText = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
CursorNumber = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
CursorInstant = Annotated[int, Meta(ge=-62_135_596_800_000_000, le=253_402_300_799_999_999)]
_LONGEST: Final = 1024

Limit = Annotated[int, Query(ge=1, le=500, description="how many items a page has at most")]
Cursor = Annotated[str | None, Query(description="next_cursor of the page before")]


class Page(Struct, Generic[T], frozen=True):
    """One page of a list. `next_cursor` is null on the last one."""

    items: Sequence[T]
    next_cursor: str | None = None


def encode_cursor(*key: Any) -> str:
    """A cursor that holds the sort key of the last item of a page."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).rstrip(b"=").decode()


def decode_cursor(cursor: str, key: type[T]) -> T:
    """The sort key in a cursor, as e.g. `tuple[CursorInstant, CursorText]`. Raises Problem
    (400) for any text that is no cursor of ours."""
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.msgpack.decode(packed, type=key)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise Problem(400, "invalid_cursor", "cursor is not one this endpoint gave out") from error
