"""What a sender is given, and what it says about the attempt."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from services.engagement.domain.channels import Channel
from zhiyin.contracts.instants import Duration


@dataclass(frozen=True, slots=True)
class Parcel:
    """One action to be delivered. `address`: identifier namespace and value or token, for channels
    that need one."""

    action_id: uuid.UUID
    profile_id: str
    campaign: str
    step: str
    kind: str
    data: Mapping[str, Any]
    address: tuple[str, str] | None
    traceparent: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver has it."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Unknown or refused for now. `after`: how long the receiver asks to be left alone;
    `ailing`: it is the destination that fails, not this one parcel."""

    reason: str
    after: Duration | None = None
    ailing: bool = True


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never be taken. `gone`: nothing will, at this destination."""

    reason: str
    gone: bool = False


Attempt = Sent | Retry | Failed


class Sender(Protocol):
    """Serves one kind of channel. `longest`: seconds that one attempt may take at most."""

    longest: float

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        """One attempt, within `longest`. Does not raise for what a receiver may do."""
        ...
