"""Why an identifier that is seen with a person does not lead to them."""

from typing import Final

from msgspec import Struct

from zhiyin.contracts.instants import Instant

SHARED: Final = "shared"  # too many members use it: it links nobody
TAKEN: Final = "taken"  # it is another member's
LIMIT: Final = "limit"  # the person has as many of its kind as may be
PARTED: Final = "parted"  # an operator parted this person from whose it is


class NotLinking(Struct, frozen=True, array_like=True):
    """Why an identifier seen with a person does not link; `shown`: its masked form, if personal."""

    reason: str
    at: Instant
    shown: str = ""
