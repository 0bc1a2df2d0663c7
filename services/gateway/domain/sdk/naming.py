"""Event names of the spec, however they are spelled."""

import re
from typing import Final

_NOT_WORD: Final = re.compile(r"[\W_]+")
_LONGEST: Final = 100


def slug(name: str) -> str:
    """`Order Completed`, `order_completed` and `Order-Completed` are `order_completed`."""
    return _NOT_WORD.sub("_", name.lower()).strip("_")[:_LONGEST]
