"""CloudEvents 1.0 as our events: opened in binary, structured and batch mode (pure).

`id`, `type`, `source` and `time` are `event_id`, `type`, `source` and `occurred_at`. `data` has
`customer` and `properties`; or `subject` (`member_id:M1001`) is the customer and `data` only the
properties.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import msgspec
from msgspec import Raw

from services.gateway.domain.pointers import refusal_of
from services.gateway.domain.rejection import Rejection
from zhiyin.contracts.instants import Instant, rfc3339

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
_HEADER: Final = "ce-"
_JSON: Final = frozenset({"application/json", "text/json"})
_REQUIRED: Final = ("id", "source", "type", "specversion")
_OURS: Final = ("customer", "properties", "import")
_ATTRIBUTES: Final = {"id": "event_id", "type": "type", "source": "source", "time": "occurred_at"}
_NAMED: Final = {ours: theirs for theirs, ours in _ATTRIBUTES.items()}
_envelope: Final = msgspec.json.Decoder(dict[str, Raw])
_envelopes: Final = msgspec.json.Decoder(list[Raw])
_text: Final = msgspec.json.Decoder(str)
_empty: Final = Raw(b"{}")


class Opened(NamedTuple):
    """One event: as the contract has it (JSON), and what was wrong with its envelope. `bare`: its
    data is nothing but the properties. Pointers are into the event in its JSON format, also where
    its attributes were headers."""

    raw: bytes
    refusal: Rejection | None = None
    bare: bool = False

    def pointer(self, pointer: str) -> str:
        """Where in the CloudEvent stood what our event has there."""
        _, name, *rest = pointer.split("/") if pointer else ["", ""]
        if not name or self.refusal is not None:
            return pointer
        if theirs := _NAMED.get(name):
            return f"/{theirs}"
        if self.bare:
            return "/subject" if name == "customer" else "/".join(["/data", *rest])
        return f"/data{pointer}"


def binary(headers: Mapping[str, str], body: bytes, now: Instant) -> Opened:
    """Attributes are `ce-…` headers (percent-encoded), the body is the data."""
    attributes = {
        name.removeprefix(_HEADER): unquote(value)
        for name, value in headers.items()
        if name.startswith(_HEADER)
    }
    envelope = {name: Raw(msgspec.json.encode(value)) for name, value in attributes.items()}
    if body:
        envelope["data"] = Raw(body)
    return _opened(envelope, now)


def structured(raw: bytes, now: Instant) -> Opened:
    """One event in JSON format."""
    try:
        return _opened(_envelope.decode(raw), now)
    except (ValueError, RecursionError) as error:
        refusal = refusal_of(error) if isinstance(error, ValueError) else None
        return Opened(raw, refusal or Rejection("too_deep", "nested too deeply"))


def batch(body: bytes, now: Instant) -> Sequence[Opened] | Rejection:
    try:
        return [structured(bytes(raw), now) for raw in _envelopes.decode(body)]
    except (ValueError, RecursionError):
        return Rejection("invalid_body", "a batch is a JSON array of CloudEvents")


def _opened(envelope: Mapping[str, Raw], now: Instant) -> Opened:
    texts, refusal = _texts(envelope)
    stated = {ours: texts[name] for name, ours in _ATTRIBUTES.items() if name in texts}
    stated.setdefault("occurred_at", rfc3339(now))
    data = refusal or _data(envelope)
    if isinstance(data, Rejection):
        return Opened(msgspec.json.encode(stated), data)
    try:
        members = _envelope.decode(data)
    except (ValueError, RecursionError):
        refusal = Rejection("wrong_type", "the data is a JSON object", "/data")
        return Opened(msgspec.json.encode(stated), refusal)
    told: dict[str, Any] = {name: members[name] for name in _OURS if name in members}
    by_subject = "customer" not in members and "subject" in texts
    if by_subject:
        namespace, _, value = texts["subject"].partition(":")
        told = {"properties": data, **told, "customer": {namespace: value} if value else {}}
    whole = {"customer": _empty, **stated, **told}
    return Opened(msgspec.json.encode(whole), None, by_subject and "properties" not in members)


def _texts(envelope: Mapping[str, Raw]) -> tuple[dict[str, str], Rejection | None]:
    """Context attributes, all of which are texts, and the first thing that is wrong with them."""
    found: dict[str, str] = {}
    for name in (*_REQUIRED, "time", "subject", "datacontenttype"):
        raw = envelope.get(name)
        if raw is None or bytes(raw) == b"null":
            if name in _REQUIRED:
                return found, Rejection("missing_field", f"a CloudEvent has {name}", f"/{name}")
            continue
        try:
            found[name] = _text.decode(raw)
        except ValueError:
            return found, Rejection("wrong_type", f"{name} is a text", f"/{name}")
    if found["specversion"] != "1.0":
        return found, Rejection("unsupported_version", "specversion is 1.0", "/specversion")
    media_type = found.get("datacontenttype", "application/json").partition(";")[0].strip().lower()
    if media_type not in _JSON and not media_type.endswith("+json"):
        return found, Rejection("unsupported_media_type", "the data is JSON", "/datacontenttype")
    return found, None


def _data(envelope: Mapping[str, Raw]) -> Raw | Rejection:
    if "data" in envelope:
        return envelope["data"]
    if "data_base64" not in envelope:
        return _empty
    try:
        return Raw(base64.b64decode(_text.decode(envelope["data_base64"]), validate=True))
    except (ValueError, binascii.Error):
        return Rejection("invalid_value", "not base64", "/data_base64")
