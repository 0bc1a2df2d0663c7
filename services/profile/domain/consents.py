"""When two people turn out to be one, the stricter answer to each purpose holds."""

from collections.abc import Iterable, Iterator, Mapping

from services.profile.domain.packed import PackedFacts
from services.profile.domain.party import Joint, KnownPerson, Side
from services.profile.domain.person_event import PersonEvent
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Consent
from zhiyin.contracts.properties.customer import CustomerLinked, CustomerUpdated
from zhiyin.contracts.properties.engagement import EngagementUnsubscribed

Stored = Mapping[str, PackedFacts]


def statements_of(event: PersonEvent) -> Iterator[tuple[str, bool]]:
    """The purposes an event grants or withdraws."""
    match event.properties:
        case CustomerUpdated(consents=consents):
            yield from consents.items()
        case CustomerLinked(withdrawn=withdrawn):
            yield from ((purpose, False) for purpose in withdrawn)
        case EngagementUnsubscribed(channel=channel):
            yield (f"marketing.{channel}" if channel else "marketing"), False
        case _:
            return


def newer(one: Consent, other: Consent | None) -> bool:
    """Whether `one` is the later word: by (occurred_at, event_id, source)."""
    return other is None or (one.at, one.event_id, one.source) > (
        other.at,
        other.event_id,
        other.source,
    )


def withdrawals(joint: Joint, stored: Stored) -> tuple[Instant, tuple[str, ...]]:
    """The purposes on which the two sides disagree, and an instant no older than what they said,
    so that only a later grant counts."""
    one, other = _told(joint.one, stored), _told(joint.other, stored)
    split = sorted(
        purpose
        for purpose in one.keys() & other.keys()
        if one[purpose].granted != other[purpose].granted
    )
    spoken = (side[purpose].at for purpose in split for side in (one, other))
    return max((joint.event.at, *spoken)), tuple(split)


def _told(side: Side, stored: Stored) -> dict[str, Consent]:
    """What a side says last about each purpose."""
    told: dict[str, Consent] = {}
    for purpose, consent in _all_told(side, stored):
        if newer(consent, told.get(purpose)):
            told[purpose] = consent
    return told


def _all_told(side: Side, stored: Stored) -> Iterator[tuple[str, Consent]]:
    for person in side.stored:
        yield from stored[person.profile_id].consents.items()
    for event in side.events:
        for purpose, granted in statements_of(event):
            yield purpose, Consent(granted, event.source, event.at, event.event_id)
    for joint in side.joints:
        at, split = withdrawals(joint, stored)
        for purpose in split:
            # "~" sorts after the ids of what was said at the same instant.
            yield purpose, Consent(False, "", at, "~")


def sides_of(joint: Joint) -> tuple[Side, Side]:
    return joint.one, joint.other


def anything_said(joints: Iterable[Joint], stored: Stored, people: Iterable[KnownPerson]) -> bool:
    """Whether it is worth comparing: mostly nobody has said anything."""
    if any(stored[person.profile_id].consents for person in people):
        return True
    events = (event for joint in joints for event in (*joint.one.events, *joint.other.events))
    return any(True for event in events for _ in statements_of(event))
