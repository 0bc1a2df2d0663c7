"""What segmentation tells the gateway of a segment's members, so that it can be downloaded."""

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant


class ExportRow(Struct, frozen=True, array_like=True):
    """A member. `phones`, `emails`: token → masked form; `name` is in clear; `spent` is decimal
    text; `channels`: where marketing can and may reach them."""

    profile_id: str
    since: Instant
    rule_version: int
    member_id: str | None
    phones: dict[str, str]
    emails: dict[str, str]
    name: str | None
    city: str | None
    orders: int
    spent: str
    last_order_at: Instant | None
    r: int
    f: int
    m: int
    rfm_class: str
    lifecycle: str
    channels: tuple[str, ...]


class ExportPage(Struct, frozen=True, array_like=True):
    """`after`: where the next page begins; None on the last."""

    rows: list[ExportRow]
    after: str | None


_decoder = msgspec.msgpack.Decoder(ExportPage)


def decode_export_page(value: bytes) -> ExportPage:
    return _decoder.decode(value)
