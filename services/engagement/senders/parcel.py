"""What a sender is given, and what it says about the attempt."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.engagement.domain.channels import Channel
from zhiyin.contracts.instants import Duration, Instant


@dataclass(frozen=True, slots=True)
class Parcel:
    """One action to be delivered. `addresses`: identifier namespace and value or token, the one to
    use first, for channels that need one. `attributes`: what the person's profile says, for
    channels addressed by it. `attempts`: which one this is, from 1."""

    action_id: uuid.UUID
    profile_id: str
    campaign: str
    step: str
    kind: str
    data: Mapping[str, Any]
    addresses: tuple[tuple[str, str], ...]
    traceparent: str
    purpose: str = "marketing"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 1

    @property
    def address(self) -> tuple[str, str] | None:
        return self.addresses[0] if self.addresses else None

    @property
    def where(self) -> str | None:
        """The address as events name it."""
        return ":".join(self.addresses[0]) if self.addresses else None


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver has it. `reference`: how the provider's later reports call it."""

    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Unknown or refused for now. `after`: how long the receiver asks to be left alone;
    `ailing`: it is the destination that fails, not this one parcel."""

    reason: str
    after: Duration | None = None
    ailing: bool = True


@dataclass(frozen=True, slots=True)
class Rests:
    """The destination takes nothing from anybody until then: a quota is used up."""

    reason: str
    until: Instant


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never be taken. `gone`: nothing will, at this destination; `bounced`: this
    address (`namespace:token`) takes nothing; `withdrawn`: the purpose for which, as the provider
    says, there is no consent any more."""

    reason: str
    gone: bool = False
    bounced: str | None = None
    withdrawn: str | None = None


Attempt = Sent | Retry | Rests | Failed


class Sender(Protocol):
    """Serves one kind of channel. `longest`: seconds that one attempt may take at most."""

    longest: float

    async def send(self, channel: Channel, parcel: Parcel) -> Attempt:
        """One attempt, within `longest`. Does not raise for what a receiver may do."""
        ...


class AddressBook(Protocol):
    async def reveal(self, namespace: str, token: str, action_id: str) -> str | None:
        """The address in clear, None if it was erased. Raises AddressUnavailable."""
        ...
