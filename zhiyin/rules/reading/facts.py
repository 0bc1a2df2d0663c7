"""Clauses about what is known of a person: facts, tags, segments, anniversaries."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from zhiyin.contracts.instants import DAY
from zhiyin.rules.paths import QUINTILES, FactPath, Kind, fixed_paths, locate, ops_of
from zhiyin.rules.reading.reader import Reader, child, quoted
from zhiyin.rules.reading.values import one_of, read_op, read_test
from zhiyin.rules.tree import Anniversary, FactIs, InSegment, Tagged

_Raw = Mapping[str, Any]
_YEAR: Final = 365 * DAY
_MOST_COMPARED: Final = 64


def read_fact(reader: Reader, raw: _Raw, pointer: str) -> FactIs:
    reader.keys(raw, pointer, ("fact", "op", "value"))
    path, fact = _fact(reader, raw["fact"], child(pointer, "fact"))
    given = reader.required(raw, pointer, "op")
    subject = quoted(path)
    op = read_op(reader, given, child(pointer, "op"), ops_of(fact), subject)
    if op in ("exists", "missing") and "value" not in raw:
        return FactIs(path, op)
    value = reader.required(raw, pointer, "value")
    at = child(pointer, "value")
    op, checked = read_test(reader, op, value, at, fact.kind)
    if fact.choices and op not in ("contains", "starts_with"):
        one_of(reader, checked, at, fact.choices)
    return FactIs(path, op, checked)


def read_tag(reader: Reader, raw: _Raw, pointer: str) -> Tagged:
    reader.keys(raw, pointer, ("tag",))
    return Tagged(reader.text(raw["tag"], child(pointer, "tag"), "a tag"))


def read_segment(reader: Reader, raw: _Raw, pointer: str) -> InSegment:
    reader.keys(raw, pointer, ("segment",))
    return InSegment(reader.text(raw["segment"], child(pointer, "segment"), "a segment's key"))


def read_anniversary(reader: Reader, raw: _Raw, pointer: str) -> Anniversary:
    reader.keys(raw, pointer, ("anniversary", "within"))
    at = child(pointer, "anniversary")
    path, fact = _fact(reader, raw["anniversary"], at)
    if fact.root == "as_of" or fact.kind not in (Kind.ANY, Kind.TIME):
        reader.refuse(at, "wrong_type", f"{quoted(path)} holds no date")
    given = reader.required(raw, pointer, "within")
    return Anniversary(path, reader.duration(given, child(pointer, "within"), _YEAR))


def _fact(reader: Reader, raw: object, pointer: str) -> tuple[str, FactPath]:
    path = reader.text(raw, pointer, "a fact's path")
    fact = locate(path)
    if fact is None:
        reader.refuse(pointer, "unknown_fact", f"there is no fact {quoted(path)}{_hint(path)}")
    if fact.root == QUINTILES and not reader.quintiles:
        message = f"{quoted(path)} is known to segments only: define one with it and read that"
        reader.refuse(pointer, "segments_only", message)
    return path, fact


def _hint(path: str) -> str:
    """The fact that was probably meant, or what facts look like."""
    close = get_close_matches(path[:_MOST_COMPARED], fixed_paths(), n=1, cutoff=0.75)
    if close:
        return f"; did you mean {close[0]}?"
    return (
        "; facts are paths of the profile such as orders.total, rfm.class, attributes.city, "
        "categories.坚果.orders"
    )
