"""What is sent and what comes back. Answers may gain members: unknown ones are ignored."""

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


class Event(Struct, frozen=True, omit_defaults=True, rename={"imported": "import"}):
    """One event. `event_id` is what it is deduplicated by: give it your own where you have one, so
    that a program that is started again does not count anything twice."""

    type: str
    customer: Mapping[str, str]
    properties: Mapping[str, Any] = {}
    source: str = "default"
    occurred_at: datetime = field(default_factory=_now)
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    imported: bool = False


class Rejected(Struct, frozen=True):
    """An event that was not taken; `pointer` says where in the request it is wrong."""

    index: int
    event_id: str | None
    code: str
    message: str
    pointer: str


class Taken(Struct, frozen=True):
    """`receipt`: give it to a read as `after`, and the answer has these events in it."""

    accepted: int
    rejected: list[Rejected]
    receipt: str


class Commanded(Struct, frozen=True):
    """A change is an event as well: `receipt` as with `Taken`."""

    profile_id: str
    receipt: str
    accepted: int = 1


class Tag(Struct, frozen=True):
    tag: str
    since: str
    until: str | None = None
    source: str = ""


class Profile(Struct, frozen=True):
    """A person as of `as_of`. `etag` goes with the read that brought it."""

    profile_id: str
    version: int
    updated_at: str
    as_of: str
    identifiers: dict[str, list[str]] = {}
    attributes: dict[str, Any] = {}
    consents: dict[str, Any] = {}
    orders: dict[str, Any] = {}
    categories: dict[str, Any] = {}
    browse: dict[str, Any] = {}
    support: dict[str, Any] = {}
    rfm: dict[str, Any] = {}
    lifecycle: dict[str, Any] = {}
    tags: list[Tag] = []
    segments: list[str] = []
    reorder: list[dict[str, Any]] = []
    merged_from: list[Any] = []
    etag: str | None = None


class Page(Struct, Generic[T], frozen=True):
    items: list[T]
    next_cursor: str | None = None


class FieldError(Struct, frozen=True):
    """What is wrong at one place of a request (JSON pointer)."""

    pointer: str
    code: str
    message: str


class Problem(Struct, frozen=True):
    """A refusal (RFC 9457)."""

    status: int
    code: str = "unknown"
    message: str = ""
    trace_id: str = ""
    errors: list[FieldError] = []
