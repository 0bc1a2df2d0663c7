"""Events the contract does not know by name."""

from msgspec import Struct


class Custom(Struct, frozen=True):
    """Any `custom.<name>` event; its properties are free."""
