"""Members of a segment as the rows of a file, CSV or Parquet."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from services.gateway.domain.masking import shown_name
from services.gateway.domain.parquet import Column, Kind, ParquetStream
from zhiyin.contracts.exports import ExportRow
from zhiyin.contracts.instants import rfc3339

Clear = Mapping[str, Mapping[str, str]]
"""Namespace → token → value in clear."""
Row = tuple[Any, ...]

CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
# What a caller sees who may read segments but no profiles.
BARE: Final = (
    Column("profile_id", Kind.TEXT),
    Column("member_since", Kind.INSTANT),
    Column("rule_version", Kind.WHOLE),
)
FULL: Final = (
    *BARE,
    Column("member_id", Kind.TEXT),
    Column("phone", Kind.TEXT),
    Column("email", Kind.TEXT),
    Column("name", Kind.TEXT),
    Column("city", Kind.TEXT),
    Column("orders", Kind.WHOLE),
    Column("spent", Kind.TEXT),
    Column("last_order_at", Kind.INSTANT),
    Column("rfm_r", Kind.WHOLE),
    Column("rfm_f", Kind.WHOLE),
    Column("rfm_m", Kind.WHOLE),
    Column("rfm_class", Kind.TEXT),
    Column("lifecycle", Kind.TEXT),
    Column("marketing_channels", Kind.TEXT),
)
# What customers typed themselves: a spreadsheet would take such a beginning for a formula.
_TYPED: Final = frozenset({"member_id", "name", "city"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def bare(row: ExportRow) -> Row:
    return row.profile_id, row.since, row.rule_version


def full(row: ExportRow, clear: Clear | None) -> Row:
    """In the order of `FULL`. `clear` None: phone, email and name masked. A value that `clear`
    does not have stays masked."""
    name = row.name if clear is not None or row.name is None else shown_name(row.name)
    return (
        *bare(row),
        row.member_id,
        _shown(row.phones, (clear or {}).get("phone", {})),
        _shown(row.emails, (clear or {}).get("email", {})),
        name,
        row.city,
        row.orders,
        row.spent,
        row.last_order_at,
        row.r,
        row.f,
        row.m,
        row.rfm_class,
        row.lifecycle,
        "|".join(row.channels),
    )


def _shown(held: Mapping[str, str], clear: Mapping[str, str]) -> str | None:
    return "|".join(sorted(clear.get(token, mask) for token, mask in held.items())) or None


class Writer(Protocol):
    """Writes a file as it goes: start, groups, end."""

    def start(self) -> bytes: ...

    def group(self, rows: Sequence[Row]) -> bytes: ...

    def end(self) -> bytes: ...


class CsvStream:
    """RFC 4180 in UTF-8; times in RFC 3339."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def start(self) -> bytes:
        return _lines([tuple(column.name for column in self._columns)])

    def group(self, rows: Sequence[Row]) -> bytes:
        return _lines([tuple(map(_cell, self._columns, row)) for row in rows])

    def end(self) -> bytes:
        return b""


def _cell(column: Column, value: Any) -> Any:
    if value is not None and column.kind is Kind.INSTANT:
        return rfc3339(value)
    if column.name in _TYPED and value is not None and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _lines(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def writer(media: str, columns: Sequence[Column]) -> Writer:
    return ParquetStream(columns) if media == PARQUET else CsvStream(columns)
