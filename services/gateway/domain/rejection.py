"""Why an event, or a part of it, is refused."""

from typing import NamedTuple


class Rejection(NamedTuple):
    """`pointer` is a JSON pointer from the event's own root (`/customer/phone`)."""

    code: str
    message: str
    pointer: str = ""
