"""The fold: facts are a function of the set of a person's events, in whatever order they come.

By definition the facts are `refold(events)`; `fold` adds a few events to facts there are, and
says `NeedsHistory` where what is kept does not suffice to get the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from services.profile.domain.differences import differing
from services.profile.domain.draft import Draft
from services.profile.domain.forgetting import forget
from services.profile.domain.health import just_allowed, leave_out
from services.profile.domain.packed import PackedFacts
from services.profile.domain.person_event import PersonEvent, event_order
from services.profile.domain.policy import Policy
from services.profile.domain.purchases import rebook
from services.profile.domain.reducers import reduce
from services.profile.domain.tickets import count_old_tickets
from zhiyin.contracts.instants import Instant

NOBODY: Final = PackedFacts()
_NOTHING: Final[Mapping[str, Instant]] = {}


class Folded(Struct, frozen=True):
    """`changed`: names of the facts that may differ now, as rules read them."""

    facts: PackedFacts
    changed: frozenset[str]


class NeedsHistory(Struct, frozen=True):
    """What is kept does not tell; fold again from the event log."""


def fold(
    facts: PackedFacts, events: Sequence[PersonEvent], policy: Policy
) -> Folded | NeedsHistory:
    """Facts with these events in them, each of which must be new to them."""
    draft = Draft(facts, policy)
    for event in sorted(events, key=event_order):
        reduce(draft, event)
        if draft.incomplete:
            return NeedsHistory()
    if just_allowed(draft):
        return NeedsHistory()
    return _finish(draft)


def refold(
    events: Iterable[PersonEvent], policy: Policy, unlinked: Mapping[str, Instant] = _NOTHING
) -> PackedFacts:
    """Facts from all events of a person. `unlinked`: identifiers that left them, and when."""
    start = PackedFacts(unlinked=dict(unlinked)) if unlinked else NOBODY
    draft = Draft(start, policy, whole=True)
    for event in sorted(events, key=event_order):
        reduce(draft, event)
    return _finish(draft).facts


def _finish(draft: Draft) -> Folded:
    if draft.rebook:
        rebook(draft)
    leave_out(draft)
    forget(draft)
    count_old_tickets(draft)
    facts = draft.packed()
    if draft.rebook:
        old = draft.before.categories
        draft.changed.update(f"categories.{name}" for name in differing(old, facts.categories))
    return Folded(facts, frozenset(draft.changed))
