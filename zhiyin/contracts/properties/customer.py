"""What is said of a person: attributes, consents, identity, tags set by hand."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.properties.shapes import Name
from zhiyin.contracts.tag_rules import TagName

Scalar = str | int | float | bool | None


class CustomerUpdated(Struct, frozen=True, tag="customer.updated"):
    """`attributes` values are scalars or lists of scalars; null removes the attribute. `tags` are
    those of the system the event comes from: true sets one, an instant with offset sets it until
    then, false takes it away."""

    attributes: dict[Name, Scalar | list[Scalar]] = {}
    consents: dict[Name, bool] = {}
    tags: dict[TagName, bool | datetime] = {}

    def __post_init__(self) -> None:
        for name, until in self.tags.items():
            if isinstance(until, datetime) and until.tzinfo is None:
                raise ValueError(f"the end of tag {name!r} needs an offset, as +08:00")


class CustomerLinked(Struct, frozen=True, tag="customer.linked"):
    """The event's identifiers are one person; or, from an operator, `absorb` joins `keep`.

    `withdrawn`: purposes on which two merged people had disagreed; the stricter answer holds for
    as long as somebody of each side `between` whom it was belongs to the person. `parted`: the
    event's identifiers have left somebody else. Only the platform itself writes these."""

    keep: str | None = None
    absorb: str | None = None
    actor: str | None = None
    withdrawn: list[str] = []
    between: list[list[str]] = []
    parted: bool = False

    @property
    def about_identity(self) -> bool:
        """Whether it says who is who rather than what a customer did."""
        return bool(self.absorb or self.withdrawn or self.parted)


class CustomerUnlinked(Struct, frozen=True, tag="customer.unlinked"):
    """`identifiers` (`namespace:value`) leave this person and become one of their own."""

    identifiers: list[str] = []
    actor: str | None = None


class CustomerTagged(Struct, frozen=True, tag="customer.tagged"):
    """An operator set a tag by hand; `until` is when it ends, if ever."""

    tag: Name
    until: datetime | None = None
    actor: str | None = None


class CustomerUntagged(Struct, frozen=True, tag="customer.untagged"):
    tag: Name
    actor: str | None = None


class CustomerErased(Struct, frozen=True, tag="customer.erased"):
    """An operator had a person erased: nothing of theirs stays, and what was on its way when it
    happened does not bring them back."""

    erasure_id: Name
    actor: str | None = None


class CustomerNoted(Struct, frozen=True, tag="customer.noted"):
    """What staff should heed: a taste somebody cannot stand, how they want things delivered. Said
    again under the same id it replaces what was said. `lasting` False: only for the next order."""

    note_id: Name
    text: Annotated[str, Meta(min_length=1, max_length=300)]
    kind: Literal["taste_taboo", "delivery_wish", "other"] = "other"
    lasting: bool = True
    author: str | None = None


class CustomerUnnoted(Struct, frozen=True, tag="customer.unnoted"):
    note_id: Name
    author: str | None = None
