"""A note of staff about a person, as it is stated over HTTP."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

NoteId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class NoteSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`lasting` False: only for the next order."""

    text: Annotated[str, Meta(min_length=1, max_length=300)]
    kind: Literal["taste_taboo", "delivery_wish", "other"] = "other"
    lasting: bool = True
