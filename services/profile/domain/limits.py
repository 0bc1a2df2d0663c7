"""How much facts keep, so that they stay below 32 KB however long somebody's history is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct

_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "purchase": 5_120,
        "browse": 4_096,
        "support": 1_536,
        "community": 1_536,
        "customer": 1_536,
        "engagement": 1_536,
        "custom": 1_536,
    }
)


class Limits(Struct, frozen=True):
    """Facts are a function of these, too: after a change everybody is to be folded anew.

    - `kept_bytes`: per event family; the newest events that take up no more are kept, at least one
    - `kept`, `kept_purchases`: and no more of them than this
    - `exact_purchases`: of purchases that are only counted, so many of the newest in each category
      are known to the instant
    - `ids`, `ticket_ids`: after how many events of the family an order or ticket id is new again
    - `tickets`: so many of the newest are told apart
    - `recent_orders`: of settled orders so many are known to the instant, `recent_step` leave
      together and are known by day
    - `categories`, `skus`: (most, how many stay when there are more); of SKUs those bought once
      and those bought again
    - `day_names`: bytes that the names of categories take, of which events are counted by day
    - `notes`
    """

    kept_bytes: Mapping[str, int] = _BYTES
    kept: int = 200
    kept_purchases: int = 64
    exact_purchases: int = 4
    ids: int = 256
    ticket_ids: int = 64
    tickets: int = 24
    recent_orders: int = 192
    recent_step: int = 64
    categories: tuple[int, int] = (400, 320)
    skus: tuple[int, int, int] = (80, 16, 40)
    day_names: int = 10_240
    notes: int = 12


LIMITS: Final = Limits()
