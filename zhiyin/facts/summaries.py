"""Browsing and support in a few numbers, and the average order."""

from typing import NamedTuple

from zhiyin.contracts.buying import OrderTotals
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor
from zhiyin.contracts.profiles import Facts


class Browsing(NamedTuple):
    events: int
    last_at: Instant | None


class Support(NamedTuple):
    """`rating`: mean score of rated tickets in hundredths, half rounded up; None without any."""

    open_tickets: int
    complaints: int
    open_complaints: int
    last_at: Instant | None
    rating: int | None


def browsing(facts: Facts) -> Browsing:
    seen = [seen for kind, seen in facts.seen.items() if kind.startswith("browse.")]
    return Browsing(sum(each.count for each in seen), max((s.last_at for s in seen), default=None))


def support(facts: Facts) -> Support:
    tickets, past = facts.tickets.values(), facts.tickets_past
    scores = [ticket.score for ticket in tickets if ticket.score is not None]
    rated = past.scores + len(scores)
    lasts = (seen.last_at for kind, seen in facts.seen.items() if kind.startswith("support."))
    return Support(
        open_tickets=past.open + sum(ticket.open for ticket in tickets),
        complaints=past.complaints + sum(ticket.kind == "complaint" for ticket in tickets),
        open_complaints=past.open_complaints
        + sum(t.kind == "complaint" and t.open for t in tickets),
        last_at=max(lasts, default=None),
        rating=half_up(100 * (past.score + sum(scores)), rated) if rated else None,
    )


def average_order(totals: OrderTotals) -> Minor:
    """Net spend per order, half rounded up; 0 without orders."""
    return half_up(totals.total, totals.count) if totals.count else 0


def half_up(amount: int, parts: int) -> int:
    """`amount / parts` to the nearest whole number, for amounts not below zero."""
    return (2 * amount + parts) // (2 * parts)
