"""What a caller may see of a profile: personal values masked, or in clear and on record."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from services.gateway.domain.masking import NAME_ATTRIBUTES, shown_name
from services.gateway.stores.audit import Entry
from zhiyin.contracts.events import PERSONAL_NAMESPACES
from zhiyin.contracts.profiles import Snapshot

View = dict[str, Any]
_ACTION: Final = "profile.read_unmasked"


class Reveals(Protocol):
    async def reveal(self, namespace: str, tokens: Sequence[str]) -> Mapping[str, str]: ...


class Records(Protocol):
    async def record(self, entry: Entry) -> None: ...


class Unmasking:
    def __init__(self, vault: Reveals, audit: Records) -> None:
        self._vault = vault
        self._audit = audit

    async def in_clear(
        self, view: View, snapshot: Snapshot, *, actor: str, why: str, trace_id: str
    ) -> View:
        """The view with phone and email in clear. The read is on record before anything is
        opened; values the vault no longer has stay masked."""
        detail = {"why": why} if why else {}
        await self._audit.record(Entry(actor, _ACTION, snapshot.profile_id, detail, trace_id))
        identifiers = dict(view["identifiers"])
        for namespace in sorted(PERSONAL_NAMESPACES & identifiers.keys()):
            held = snapshot.facts.identifiers[namespace]
            clear = await self._vault.reveal(namespace, list(held))
            identifiers[namespace] = sorted(clear.get(token, mask) for token, mask in held.items())
        return {**view, "identifiers": identifiers}


def masked(view: View) -> View:
    """The view without names: phone and email are masked in it already."""
    named = {
        name: {**stated, "value": shown_name(stated["value"])}
        for name, stated in view["attributes"].items()
        if name in NAME_ATTRIBUTES and isinstance(stated["value"], str)
    }
    return {**view, "attributes": {**view["attributes"], **named}} if named else view
