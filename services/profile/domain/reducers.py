"""One small function per event type: what it does to a person's facts."""

from typing import assert_never

from services.profile.domain.draft import ORDERED, Draft
from services.profile.domain.forgetting import count
from services.profile.domain.history import decode_kept
from services.profile.domain.notes import noted
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.purchases import purchased
from services.profile.domain.tickets import supported
from zhiyin.contracts.profiles import Attribute, Consent
from zhiyin.contracts.properties.browse import (
    BrowseCarted,
    BrowseFavorited,
    BrowseSearched,
    BrowseUncarted,
    BrowseViewed,
    BrowseVisitedStore,
)
from zhiyin.contracts.properties.community import (
    CommunityAsked,
    CommunityCheckedIn,
    CommunityReviewed,
    CommunityShared,
)
from zhiyin.contracts.properties.custom import Custom
from zhiyin.contracts.properties.customer import (
    CustomerErased,
    CustomerLinked,
    CustomerNoted,
    CustomerTagged,
    CustomerUnlinked,
    CustomerUnnoted,
    CustomerUntagged,
    CustomerUpdated,
)
from zhiyin.contracts.properties.engagement import (
    EngagementBounced,
    EngagementClicked,
    EngagementDelivered,
    EngagementOpened,
    EngagementUnsubscribed,
)
from zhiyin.contracts.properties.purchase import (
    PurchaseCancelled,
    PurchaseCompleted,
    PurchaseRefunded,
)
from zhiyin.contracts.properties.support import (
    SupportMessaged,
    SupportOpened,
    SupportRated,
    SupportResolved,
)

_Customer = (
    CustomerUpdated
    | CustomerLinked
    | CustomerUnlinked
    | CustomerTagged
    | CustomerUntagged
    | CustomerErased
    | CustomerNoted
    | CustomerUnnoted
)
_Engaged = (
    EngagementDelivered
    | EngagementOpened
    | EngagementClicked
    | EngagementBounced
    | EngagementUnsubscribed
)


def reduce(draft: Draft, event: PersonEvent) -> None:
    """Fold one event. Any order of events leads to the same facts."""
    if says_who_is_who(event):
        _identity(draft, event)
        return
    newer = draft.keep(event)
    if newer is None and event.family in ORDERED:
        draft.incomplete = True
        return
    if newer is None:
        count(draft, event.family, decode_kept(event.kept))
    _reduce(draft, event, newer or 0)


def says_who_is_who(event: PersonEvent) -> bool:
    """Whether an event is a command about identity, or follows from one: no act of the customer's,
    so that parting people leaves nothing of their merge behind."""
    told = event.properties
    return isinstance(told, CustomerUnlinked) or (
        isinstance(told, CustomerLinked) and told.about_identity
    )


def _identity(draft: Draft, event: PersonEvent) -> None:
    if isinstance(event.properties, CustomerLinked):
        for purpose in event.properties.withdrawn:
            _withdraw(draft, event, purpose)
        draft.name(event)


def _reduce(draft: Draft, event: PersonEvent, newer: int) -> None:
    match event.properties:
        case PurchaseCompleted() | PurchaseRefunded() | PurchaseCancelled() as posting:
            purchased(draft, event, posting, newer)
        case (
            BrowseViewed()
            | BrowseSearched()
            | BrowseCarted()
            | BrowseUncarted()
            | BrowseFavorited()
            | BrowseVisitedStore()
        ):
            draft.changed.add("browse")
        case SupportOpened() | SupportMessaged() | SupportResolved() | SupportRated() as said:
            supported(draft, event, said, newer)
        case (
            CustomerUpdated()
            | CustomerLinked()
            | CustomerUnlinked()
            | CustomerTagged()
            | CustomerUntagged()
            | CustomerErased()
            | CustomerNoted()
            | CustomerUnnoted()
        ) as told:
            _told(draft, event, told)
        case (
            EngagementDelivered()
            | EngagementOpened()
            | EngagementClicked()
            | EngagementBounced()
            | EngagementUnsubscribed()
        ) as answer:
            _engaged(draft, event, answer)
        case (
            CommunityShared()
            | CommunityReviewed()
            | CommunityCheckedIn()
            | CommunityAsked()
            | Custom()
        ):
            pass  # kept and counted like every event, which is all
        case _ as never:
            assert_never(never)


def _told(draft: Draft, event: PersonEvent, told: _Customer) -> None:
    match told:
        case CustomerUpdated():
            _updated(draft, event, told)
        case CustomerLinked() | CustomerUnlinked():
            pass  # identifiers are named by every event that has them
        case CustomerNoted() | CustomerUnnoted() as said:
            noted(draft, event, said)
        case CustomerTagged() | CustomerUntagged():
            pass  # tags are settled apart, since they depend on rules and on now
        case CustomerErased():
            pass  # there is nobody left to say anything of


def _updated(draft: Draft, event: PersonEvent, update: CustomerUpdated) -> None:
    for name, value in update.attributes.items():
        draft.say(name, Attribute(value, event.source, event.at, event.event_id))
    for purpose, granted in update.consents.items():
        draft.consent(purpose, Consent(granted, event.source, event.at, event.event_id))


def _withdraw(draft: Draft, event: PersonEvent, purpose: str) -> None:
    draft.consent(purpose, Consent(False, event.source, event.at, event.event_id))


def _engaged(draft: Draft, event: PersonEvent, answer: _Engaged) -> None:
    channel = answer.channel or ""
    counts = draft.activity.get(channel, {})
    suffix = event.type.partition(".")[2]
    counted = {**counts, suffix: counts.get(suffix, 0) + 1}
    draft.activity = {**draft.activity, channel: counted}
    if isinstance(answer, EngagementBounced) and answer.hard and answer.address:
        draft.bounce(answer.address, event.at)
    if isinstance(answer, EngagementUnsubscribed):
        _withdraw(draft, event, f"marketing.{channel}" if channel else "marketing")
