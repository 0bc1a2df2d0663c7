"""Taking a ready campaign from the shelf, and saying that something runs low."""

from typing import Annotated

from msgspec import Meta, Struct

from zhiyin.contracts.segments import Key


class InstallPlaybookSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`launch`: live at once; otherwise it is a draft to be looked at first. `brand`: whose it is
    to be."""

    launch: bool = False
    brand: Key | None = None


class StockAlertSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A product of which few are `left`. `alert_id`: the same alert sent again is one; by default
    there is one a day and product."""

    sku: Annotated[str, Meta(min_length=1, max_length=128)]
    left: Annotated[int, Meta(ge=0, le=1_000_000)]
    alert_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
