"""Files of a segment's members: readable by others, masked, and no formula runs from them."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from services.gateway.domain.exported import BARE, CSV, FULL, PARQUET, bare, full, writer
from services.gateway.domain.parquet import Column, Kind, ParquetStream
from zhiyin.contracts.exports import ExportRow
from zhiyin.contracts.instants import instant

SINCE = instant(datetime(2026, 3, 1, tzinfo=UTC))


def a_row(profile_id: str = "p-1", **more: Any) -> ExportRow:
    known: dict[str, Any] = {
        "member_id": "M1",
        "phones": {"t1": "138****1111"},
        "emails": {},
        "name": "张小明",
        "city": "杭州",
    }
    known |= more
    return ExportRow(
        profile_id=profile_id, since=SINCE, rule_version=2, **known, orders=3, spent="777.00",
        last_order_at=SINCE, r=5, f=3, m=2, rfm_class="new_or_small", lifecycle="active",
        channels=("sms", "inbox"),
    )  # fmt: skip


def read_csv(*rows: tuple[Any, ...]) -> list[dict[str, str]]:
    into = writer(CSV, FULL)
    text = (into.start() + into.group(rows) + into.end()).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_what_is_personal_is_masked_unless_it_was_opened() -> None:
    (masked,) = read_csv(full(a_row(), None))
    assert (masked["phone"], masked["name"]) == ("138****1111", "张**")
    (clear,) = read_csv(full(a_row(), {"phone": {"t1": "+8613800001111"}}))
    assert (clear["phone"], clear["name"]) == ("+8613800001111", "张小明")
    assert clear["member_since"] == "2026-03-01T00:00:00Z"
    assert clear["marketing_channels"] == "sms|inbox"


def test_what_a_customer_typed_is_no_formula_in_a_spreadsheet() -> None:
    (row,) = read_csv(full(a_row(city='=HYPERLINK("x")', member_id="@M"), {}))
    assert (row["city"], row["member_id"]) == ('\'=HYPERLINK("x")', "'@M")


def test_parquet_is_read_by_others_as_it_was_written() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the demo's packages are not there")
    into = writer(PARQUET, FULL)
    some = [full(a_row(f"p-{number}", name=None), None) for number in range(100)]
    file = into.start() + into.group(some[:60]) + into.group([]) + into.group(some[60:])
    table = parquet.read_table(io.BytesIO(file + into.end()))
    assert table.num_rows == 100
    assert table.column("profile_id").to_pylist() == [f"p-{number}" for number in range(100)]
    assert table.column("name").null_count == 100
    assert table.column("member_since")[7].as_py() == datetime(2026, 3, 1, tzinfo=UTC)
    assert table.column("orders").to_pylist() == [3] * 100


def test_parquet_of_nobody_is_a_table_without_rows() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the demo's packages are not there")
    into = ParquetStream([*BARE, Column("more", Kind.WHOLE)])
    table = parquet.read_table(io.BytesIO(into.start() + into.end()))
    assert (table.num_rows, table.num_columns) == (0, 4)
    assert bare(a_row()) == ("p-1", SINCE, 2)
