"""What a customer says in words in an event."""

from typing import NamedTuple

from services.profile.domain.person_event import PersonEvent
from zhiyin.contracts.properties.community import (
    CommunityAsked,
    CommunityCheckedIn,
    CommunityReviewed,
    CommunityShared,
)
from zhiyin.contracts.properties.support import SupportMessaged, SupportOpened


class Words(NamedTuple):
    """`stars`: 1 to 5, where they gave some."""

    text: str
    stars: float | None = None


def words_of(event: PersonEvent) -> Words | None:
    """None where the customer says nothing; what an agent writes is not theirs."""
    match event.properties:
        case SupportOpened(subject=subject, text=text):
            said = Words("\n".join(part for part in (subject, text) if part))
        case SupportMessaged(author="customer", text=text):
            said = Words(text)
        case (
            CommunityReviewed(text=text, score=score)
            | CommunityShared(text=text, score=score)
            | CommunityCheckedIn(text=text, score=score)
            | CommunityAsked(text=text, score=score)
        ):
            said = Words(text or "", score)
        case _:
            return None
    return said if said.text.strip() else None
