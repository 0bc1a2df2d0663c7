"""What a callback says, whoever said it."""

from typing import Literal

from msgspec import Struct

from services.engagement.domain.news import Became
from zhiyin.contracts.instants import Instant


class Unsigned(Exception):
    """It is not from whom it says."""


class Unfit(Exception):
    """It cannot be read; `pointer` says where it is wrong."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message


class Report(Struct, frozen=True):
    """What became of a message, known by its action's id or by the provider's reference. `at` None:
    now. `hard`: nothing will ever arrive at that address. `part`: which of several."""

    what: Became
    action_id: str | None = None
    reference: str | None = None
    at: Instant | None = None
    hard: bool = False
    reason: str | None = None
    url: str | None = None
    part: str = ""


class Reply(Struct, frozen=True):
    """Somebody wrote back from a phone. `stop`: to be left alone."""

    id: str
    phone: str
    text: str
    stop: bool
    at: Instant


class Answered(Struct, frozen=True):
    """Somebody, known by an identifier, said yes or no to a purpose; None: to the whole medium."""

    id: str
    namespace: Literal["openid"]
    value: str
    purpose: str | None
    granted: bool
    at: Instant


Heard = Report | Reply | Answered


class Taken(Struct, frozen=True):
    """What was heard, and what the provider is to be answered."""

    heard: list[Heard]
    body: bytes
    media_type: str = "application/json"
