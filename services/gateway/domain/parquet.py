"""Apache Parquet, as much of it as a flat table of texts, whole numbers and times needs.

Written as a stream: one row group per call, each column one gzip-compressed data page of plain
values behind their definition levels; the footer comes last. Format: parquet.thrift of
apache/parquet-format 2, Thrift compact protocol.
"""

import gzip
import struct
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final, NamedTuple

_MAGIC: Final = b"PAR1"
_OPTIONAL: Final = 1
_PLAIN, _RLE = 0, 3
_GZIP: Final = 2
# Types of the Thrift compact protocol.
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12


class Kind(IntEnum):
    """What a column holds: `str`, `int`, or `int` microseconds since 1970 in UTC."""

    TEXT = 0
    WHOLE = 1
    INSTANT = 2


# Physical type and, where there is one, converted type (UTF8, TIMESTAMP_MICROS).
_STORED: Final[Mapping[Kind, tuple[int, int | None]]] = {
    Kind.TEXT: (6, 0),
    Kind.WHOLE: (2, None),
    Kind.INSTANT: (2, 10),
}


class Column(NamedTuple):
    name: str
    kind: Kind


class ParquetStream:
    """What the methods return is to be written in that order."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._groups: list[bytes] = []
        self._rows = 0
        self._written = len(_MAGIC)

    def start(self) -> bytes:
        return _MAGIC

    def group(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Rows as tuples in the order of the columns; None is null. Empty for no rows."""
        if not rows:
            return b""
        parts: list[bytes] = []
        chunks: list[bytes] = []
        for place, column in enumerate(self._columns):
            header, page, plain = _page([row[place] for row in rows], column.kind)
            chunks.append(self._chunk(column, len(rows), header, page, plain))
            parts += (header, page)
            self._written += len(header) + len(page)
        size = sum(map(len, parts))
        self._groups.append(
            _struct((1, _LIST, _list(_STRUCT, chunks)), (2, _I64, size), (3, _I64, len(rows)))
        )
        self._rows += len(rows)
        return b"".join(parts)

    def end(self) -> bytes:
        footer = _struct(
            (1, _I32, 1),
            (2, _LIST, _list(_STRUCT, [_root(len(self._columns)), *map(_schema, self._columns)])),
            (3, _I64, self._rows),
            (4, _LIST, _list(_STRUCT, self._groups)),
            (6, _BINARY, b"zhiyin"),
        )
        return footer + struct.pack("<I", len(footer)) + _MAGIC

    def _chunk(self, column: Column, rows: int, header: bytes, page: bytes, plain: int) -> bytes:
        meta = _struct(
            (1, _I32, _STORED[column.kind][0]),
            (2, _LIST, _list(_I32, [_varint(_zigzag(each)) for each in (_PLAIN, _RLE)])),
            (3, _LIST, _list(_BINARY, [_binary(column.name.encode())])),
            (4, _I32, _GZIP),
            (5, _I64, rows),
            (6, _I64, len(header) + plain),
            (7, _I64, len(header) + len(page)),
            (9, _I64, self._written),
        )
        return _struct((2, _I64, self._written), (3, _STRUCT, meta))


def _page(values: Sequence[Any], kind: Kind) -> tuple[bytes, bytes, int]:
    """Header, compressed content, and the size of the content before."""
    levels = _levels([value is not None for value in values])
    content = struct.pack("<I", len(levels)) + levels + _plain(values, kind)
    packed = gzip.compress(content, 6, mtime=0)
    data = _struct((1, _I32, len(values)), (2, _I32, _PLAIN), (3, _I32, _RLE), (4, _I32, _RLE))
    header = _struct(
        (1, _I32, 0), (2, _I32, len(content)), (3, _I32, len(packed)), (5, _STRUCT, data)
    )
    return header, packed, len(content)


def _plain(values: Iterable[Any], kind: Kind) -> bytes:
    there = [value for value in values if value is not None]
    if kind is Kind.TEXT:
        texts = [value.encode() for value in there]
        return b"".join(part for text in texts for part in (struct.pack("<I", len(text)), text))
    return struct.pack(f"<{len(there)}q", *there)


def _levels(there: Sequence[bool]) -> bytes:
    """One bit per value, in one bit-packed run of groups of eight."""
    groups = -(-len(there) // 8)
    bits = sum(1 << place for place, one in enumerate(there) if one)
    return _varint(groups << 1 | 1) + bits.to_bytes(groups, "little")


def _root(columns: int) -> bytes:
    return _struct((4, _BINARY, b"schema"), (5, _I32, columns))


def _schema(column: Column) -> bytes:
    physical, converted = _STORED[column.kind]
    fields: list[tuple[int, int, int | bytes]] = [
        (1, _I32, physical),
        (3, _I32, _OPTIONAL),
        (4, _BINARY, column.name.encode()),
    ]
    if converted is not None:
        fields.append((6, _I32, converted))
    return _struct(*fields)


def _struct(*fields: tuple[int, int, int | bytes]) -> bytes:
    """Fields by rising id, each (id, type, value); values of lists and structs are encoded."""
    parts, before = [], 0
    for place, kind, value in fields:
        parts.append(bytes([(place - before) << 4 | kind]))
        if isinstance(value, int):
            parts.append(_varint(_zigzag(value)))
        else:
            parts.append(_binary(value) if kind == _BINARY else value)
        before = place
    return b"".join([*parts, b"\0"])


def _list(kind: int, items: Sequence[bytes]) -> bytes:
    many = len(items)
    head = bytes([many << 4 | kind]) if many < 15 else bytes([0xF0 | kind]) + _varint(many)
    return head + b"".join(items)


def _binary(value: bytes) -> bytes:
    return _varint(len(value)) + value


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
