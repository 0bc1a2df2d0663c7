"""The receipt of an erasure: every store, what was erased there, and what is kept and why."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

_IN_THE_LOG: Final = (
    "topics hold tokens and no phone or email; their records end with the log's retention"
)
_IN_THE_AUDIT: Final = "who did what stays on record, under the profile id alone"
_IN_ANSWERS: Final = "answers kept for Idempotency-Key are sealed, and gone within 24 hours"


class Cleared(Struct, frozen=True):
    """One store. `kept`: what is still there, for the reason that `note` gives."""

    store: str
    erased: int
    kept: int = 0
    note: str | None = None


class ErasureReceipt(Struct, frozen=True):
    """`refused_events`: events that were on their way and came too late to bring the person
    back. `stores` is empty while the erasure is pending."""

    erasure_id: str
    profile_id: str
    status: Literal["pending", "completed"]
    requested_at: str
    requested_by: str
    reason: str = ""
    completed_at: str | None = None
    refused_events: int = 0
    stores: tuple[Cleared, ...] = ()


def cleared(forgotten: int, shared: int, elsewhere: Mapping[str, int]) -> tuple[Cleared, ...]:
    """`forgotten`: values gone from the vault with their keys; `shared`: those somebody else uses
    too; `elsewhere`: what the services counted."""
    shared_note = "somebody else uses the same phone or email" if shared else None
    return (
        Cleared("gateway.vault", forgotten, shared, shared_note),
        *(Cleared(store, count) for store, count in sorted(elsewhere.items())),
        Cleared("gateway.audit", 0, note=_IN_THE_AUDIT),
        Cleared("gateway.answer", 0, note=_IN_ANSWERS),
        Cleared("log", 0, note=_IN_THE_LOG),
    )
