"""Messages of the Segment spec as the libraries send them, and what a batch says of all of them."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from services.gateway.domain.pointers import refusal_of
from services.gateway.domain.rejection import Rejection

TRACK: Final = "track"
TYPES: Final = frozenset({TRACK, "identify", "page", "screen", "group", "alias"})
# JavaScript writes half a character as an escape that is no text; the rest of a batch is.
_HALVES: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class Message(Struct, frozen=True, rename="camel"):
    """Libraries send null, or a number for a text, and old ones whatever they were given: nothing
    is taken for granted here. Numbers are exact."""

    type: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    previous_id: Any = None
    group_id: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    properties: Any = None
    traits: Any = None
    context: Any = None
    channel: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None


class Envelope(NamedTuple):
    """What a request says of all its messages. `type`: of a message that has none."""

    sent_at: Any = None
    context: Mapping[str, Any] = {}
    type: str | None = None


class Sent(NamedTuple):
    """The messages of a request (JSON), and the key that stood in its body if one did."""

    raws: Sequence[bytes]
    envelope: Envelope
    write_key: str | None
    batch: bool

    def place(self, index: int, pointer: str) -> str:
        """Where in the body stood what a message has at a pointer of its own."""
        return f"/batch/{index}{pointer}" if self.batch else pointer


class _Body(Struct, frozen=True, rename="camel"):
    batch: list[Raw] | UnsetType = UNSET
    sent_at: Any = None
    context: Any = None
    write_key: Any = None


_body: Final = msgspec.json.Decoder(_Body)
_message: Final = msgspec.json.Decoder(Message, float_hook=Decimal)


def sent(body: bytes, message_type: str | None) -> Sent | Rejection:
    """The messages of a request's body; `message_type` of the one that a call for one takes."""
    try:
        body.decode()
        body, found = _readable(body)
    except RecursionError:
        return Rejection("too_deep", "nested too deeply")
    except ValueError as error:
        refusal = refusal_of(error)
        is_json = isinstance(error, msgspec.ValidationError)
        return refusal if is_json else refusal._replace(code="invalid_json")
    key = found.write_key if isinstance(found.write_key, str) else None
    if message_type is not None:
        return Sent([body], Envelope(found.sent_at, {}, message_type), key, batch=False)
    if found.batch is UNSET:
        return Rejection("missing_field", "a batch is {'batch': [messages]}", "/batch")
    envelope = Envelope(found.sent_at, table(found.context))
    return Sent([bytes(raw) for raw in found.batch], envelope, key, batch=True)


def _readable(body: bytes) -> tuple[bytes, _Body]:
    try:
        return body, _body.decode(body)
    except ValueError:
        whole = _HALVES.sub(rb"\\ufffd", body)
        return whole, _body.decode(whole)


def read(raw: bytes) -> Message | Rejection:
    """One message. `raw` may be any JSON."""
    try:
        return _message.decode(raw)
    except RecursionError:
        return Rejection("too_deep", "nested too deeply")
    except ValueError as error:
        return refusal_of(error)


def table(value: Any) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str | None:
    """A text or a whole number as text; None for anything else, and for nothing but blanks."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    return str(value).strip() or None
