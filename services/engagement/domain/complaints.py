"""Whether something of a person's is still open."""

from zhiyin.contracts.profiles import Snapshot


def open_complaint(snapshot: Snapshot) -> bool:
    return any(
        ticket.kind == "complaint" and ticket.open for ticket in snapshot.facts.tickets.values()
    )
