"""Health facts: `attributes.health` and `attributes.health.<name>`. They exist for nobody, and so
for no tag, segment or message, unless the person has granted the purpose `health`."""

from collections.abc import Mapping
from typing import Final, Protocol

PURPOSE: Final = "health"
_NAME: Final = "health"
_PREFIX: Final = "health."


class Granted(Protocol):
    @property
    def granted(self) -> bool: ...


def is_health(attribute: str) -> bool:
    """Whether an attribute of this name is a health fact."""
    return attribute.startswith(_PREFIX) or attribute == _NAME


def allowed(consents: Mapping[str, Granted]) -> bool:
    """Whether health facts may exist for somebody with these consents."""
    consent = consents.get(PURPOSE)
    return consent is not None and consent.granted
