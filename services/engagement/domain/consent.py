"""What a person has agreed to, and whether something of theirs is still open.

Marketing is allowed on a channel unless it was refused: by `marketing.<channel>`, by `marketing`
as a whole, or by unsubscribing there with no newer consent. Purposes `transactional` (order
notices) and `care` (answers to somebody's own complaint) need no marketing consent.
"""

from zhiyin.contracts.profiles import Snapshot


def refused(snapshot: Snapshot, purpose: str, channel: str) -> bool:
    if purpose != "marketing":
        return False
    consents = snapshot.facts.consents
    whole = consents.get("marketing")
    if whole is not None and not whole.granted:
        return True
    answer = consents.get(f"marketing.{channel}")
    if answer is not None and not answer.granted:
        return True
    if not snapshot.facts.activity.get(channel, {}).get("unsubscribed"):
        return False
    last = snapshot.facts.seen.get("engagement.unsubscribed")
    return answer is None or (last is not None and answer.at <= last.last_at)


def open_complaint(snapshot: Snapshot) -> bool:
    return any(
        ticket.kind == "complaint" and ticket.open for ticket in snapshot.facts.tickets.values()
    )
