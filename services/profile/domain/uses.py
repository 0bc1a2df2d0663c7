"""By how many members an identifier is used, and when it is shared for that."""

import hashlib
from collections.abc import Collection, Mapping

from services.profile.domain.identity_limits import Limits
from services.profile.domain.party import Link
from services.profile.domain.person_event import Identifier


def use_by(member: str) -> str:
    """What is kept of a member id with an identifier that is somebody else's: enough to count
    them, nothing that would have to be erased with them."""
    return hashlib.blake2b(member.encode(), digest_size=8).hexdigest()


class Uses:
    """What one batch adds to what is stored. `seen`: uses by others that are new; `newly_shared`:
    identifiers that link nobody from now on."""

    def __init__(self, links: Mapping[Identifier, Link], limits: Limits) -> None:
        self._links = links
        self._limits = limits
        self._shared = {identifier for identifier, link in links.items() if link.shared}
        self.seen: dict[Identifier, set[str]] = {}
        self.newly_shared: dict[Identifier, None] = {}

    def shared(self, identifier: Identifier) -> bool:
        return identifier in self._shared

    def count(
        self, identifier: Identifier, members: Collection[str], owners: Collection[str]
    ) -> bool:
        """An identifier of a person with the members `owners` was seen with others; whether that
        makes it shared just now."""
        if identifier in self._shared:
            return False
        link = self._links.get(identifier)
        seen = self.seen.setdefault(identifier, set())
        others = frozenset[str]() if link is None else link.others
        seen |= set(map(use_by, members)) - others
        if len(others | seen | set(map(use_by, owners))) <= self._limits[identifier[0]].members:
            return False
        self._shared.add(identifier)
        self.newly_shared[identifier] = None
        return True
