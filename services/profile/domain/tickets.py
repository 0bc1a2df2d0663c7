"""Support tickets: the newest as they are, the older ones only as numbers."""

from collections.abc import Mapping

from msgspec.structs import replace

from services.profile.domain.draft import SUPPORT, Draft
from services.profile.domain.packed import NO_TICKETS
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.remembering import is_full, out_of_reach, remembers, with_event
from zhiyin.contracts.profiles import PastTickets, Ticket
from zhiyin.contracts.properties.support import (
    SupportMessaged,
    SupportOpened,
    SupportRated,
    SupportResolved,
)

Said = SupportOpened | SupportMessaged | SupportResolved | SupportRated


def supported(draft: Draft, event: PersonEvent, said: Said, newer: int) -> None:
    """`newer`: how many support events there are after this one. An id opened again after 64
    other support events is another ticket."""
    draft.changed.add("support")
    remembered = draft.remembered.get(SUPPORT, b"")
    most = draft.policy.limits.ticket_ids
    name = said.ticket_id
    known = draft.tickets.get(name)
    opens_anew = isinstance(said, SupportOpened) and not remembers(remembered, name, most + newer)
    if _untold(draft, known, newer, opens_anew=opens_anew):
        draft.incomplete = True
    elif known is not None and opens_anew:
        aside = f"{name}\0{known.touched}"
        draft.tickets = {**draft.tickets, aside: known, name: _ticket(Ticket(), event, said)}
    else:
        told = _ticket(known or Ticket(), event, said)
        draft.tickets = {**draft.tickets, name: told}
    draft.remembered = {
        **draft.remembered,
        SUPPORT: with_event(remembered, name, newer, most),
    }


def _untold(draft: Draft, known: Ticket | None, newer: int, *, opens_anew: bool) -> bool:
    """Whether an event concerns tickets that are only counted, or comes so late that it may be
    another ticket's."""
    remembered, most = draft.remembered.get(SUPPORT, b""), draft.policy.limits.ticket_ids
    if known is None:
        late = newer > 0 and out_of_reach(remembered, newer, most)
        return late or (draft.before.tickets_past != NO_TICKETS and not opens_anew)
    return newer > 0 and is_full(remembered, most)


def count_old_tickets(draft: Draft) -> None:
    """Tickets beyond the newest are only counted from now on."""
    excess = len(draft.tickets) - draft.policy.limits.tickets
    if excess <= 0:
        return
    tickets = draft.tickets
    by_age = sorted(tickets, key=lambda name: (tickets[name].touched, name))
    draft.tickets = {name: tickets[name] for name in sorted(by_age[excess:])}
    draft.tickets_past = _past(
        draft.tickets_past, {name: tickets[name] for name in by_age[:excess]}
    )


def _past(known: PastTickets, gone: Mapping[str, Ticket]) -> PastTickets:
    complaints = [ticket for ticket in gone.values() if ticket.kind == "complaint"]
    scores = [ticket.score for ticket in gone.values() if ticket.score is not None]
    return PastTickets(
        known.tickets + len(gone),
        known.complaints + len(complaints),
        known.open + sum(ticket.open for ticket in gone.values()),
        known.open_complaints + sum(ticket.open for ticket in complaints),
        known.score + sum(scores),
        known.scores + len(scores),
    )


def _ticket(known: Ticket, event: PersonEvent, said: Said) -> Ticket:
    old = replace(known, touched=max(known.touched, event.at))
    match said:
        case SupportOpened(kind=kind):
            opened = (-1, "") if old.opened_at is None else (old.opened_at, old.kind)
            opened_at, kind_ = max(opened, (event.at, kind))
            return replace(old, opened_at=opened_at, kind=kind_)
        case SupportResolved():
            resolved_at = event.at if old.resolved_at is None else max(old.resolved_at, event.at)
            return replace(old, resolved_at=resolved_at)
        case SupportRated(score=score):
            rated = (-1, 0) if old.scored_at is None else (old.scored_at, old.score or 0)
            scored_at, score_ = max(rated, (event.at, score))
            return replace(old, scored_at=scored_at, score=score_)
        case SupportMessaged():
            return old
