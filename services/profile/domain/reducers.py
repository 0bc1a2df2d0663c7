"""One small function per event type: what it does to a person's facts."""

from typing import assert_never

from msgspec.structs import replace

from services.profile.domain.draft import Draft
from services.profile.domain.orders import lines_of
from services.profile.domain.person_event import PersonEvent
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import to_minor
from zhiyin.contracts.profiles import EXACT_WINDOW, Attribute, Consent, Order, Ticket
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
    CustomerTagged,
    CustomerUnlinked,
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

_Purchased = PurchaseCompleted | PurchaseRefunded | PurchaseCancelled
_Supported = SupportOpened | SupportMessaged | SupportResolved | SupportRated
_Customer = (
    CustomerUpdated
    | CustomerLinked
    | CustomerUnlinked
    | CustomerTagged
    | CustomerUntagged
    | CustomerErased
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
    newest = draft.newest
    draft.keep(event)
    match event.properties:
        case PurchaseCompleted() | PurchaseRefunded() | PurchaseCancelled() as posting:
            _purchased(draft, event, posting, newest)
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
            _supported(draft, event, said)
        case (
            CustomerUpdated()
            | CustomerLinked()
            | CustomerUnlinked()
            | CustomerTagged()
            | CustomerUntagged()
            | CustomerErased()
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


def _purchased(draft: Draft, event: PersonEvent, posting: _Purchased, newest: Instant) -> None:
    match posting:
        case PurchaseCompleted():
            _completed(draft, event, posting, newest)
        case PurchaseRefunded() | PurchaseCancelled():
            _rebook(draft)


def _told(draft: Draft, event: PersonEvent, told: _Customer) -> None:
    match told:
        case CustomerUpdated():
            _updated(draft, event, told)
        case CustomerLinked(withdrawn=withdrawn):
            for purpose in withdrawn:
                _withdraw(draft, event, purpose)
        case CustomerUnlinked(identifiers=identifiers):
            _unlinked(draft, event, identifiers)
        case CustomerTagged() | CustomerUntagged():
            pass  # tags are settled apart, since they depend on rules and on now
        case CustomerErased():
            pass  # there is nobody left to say anything of


def _completed(draft: Draft, event: PersonEvent, order: PurchaseCompleted, newest: Instant) -> None:
    draft.changed.update(("orders", "reorder"))
    late = event.at <= newest
    books = draft.books
    if (
        draft.rebook
        or order.order_id in books.orders_kept
        or (late and _unsure(draft, event, order))
    ):
        _rebook(draft)
        return
    total = to_minor(order.total, order.currency)
    entry = Order(event.at, event.event_id, total, order.gift)
    books.note(order.order_id, entry)
    books.add(entry, lines_of(order, total))
    for item in order.items:
        if item.category:
            draft.changed.add(f"categories.{item.category}")


def _unsure(draft: Draft, event: PersonEvent, order: PurchaseCompleted) -> bool:
    """Whether a late order may have been posted before and be no longer kept, or falls between
    purchases of the same SKU, whose intervals would then be others."""
    pruned = draft.before.pruned
    if pruned and pruned >= event.at - EXACT_WINDOW:
        return True
    bought = (draft.books.sku(item.sku) for item in order.items)
    return any(sku is not None and (sku.last_at or 0) >= event.at for sku in bought)


def _rebook(draft: Draft) -> None:
    """What is rare is told from all purchases kept, or, once some are not, from the event log."""
    draft.rebook = True
    draft.incomplete = draft.incomplete or draft.before.pruned != 0


def _supported(draft: Draft, event: PersonEvent, said: _Supported) -> None:
    draft.changed.add("support")
    draft.tickets = {**draft.tickets, said.ticket_id: _ticket(draft, event, said)}


def _ticket(draft: Draft, event: PersonEvent, said: _Supported) -> Ticket:
    old = draft.tickets.get(said.ticket_id, Ticket())
    match said:
        case SupportOpened(kind=kind):
            known = (-1, "") if old.opened_at is None else (old.opened_at, old.kind)
            opened_at, kind_ = max(known, (event.at, kind))
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


def _updated(draft: Draft, event: PersonEvent, update: CustomerUpdated) -> None:
    for name, value in update.attributes.items():
        draft.say(name, Attribute(value, event.source, event.at, event.event_id))
    for purpose, granted in update.consents.items():
        draft.consent(purpose, Consent(granted, event.source, event.at, event.event_id))


def _withdraw(draft: Draft, event: PersonEvent, purpose: str) -> None:
    draft.consent(purpose, Consent(False, event.source, event.at, event.event_id))


def _unlinked(draft: Draft, event: PersonEvent, identifiers: list[str]) -> None:
    """What carried them before must no longer show them, which takes all events to tell."""
    for identifier in identifiers:
        namespace, _, token = identifier.partition(":")
        at = max(draft.unlinked.get(identifier, 0), event.at)
        draft.unlinked = {**draft.unlinked, identifier: at}
        known = draft.identifiers.get(namespace, {})
        left = {each: shown for each, shown in known.items() if each != token}
        others = {name: held for name, held in draft.identifiers.items() if name != namespace}
        draft.identifiers = {**others, namespace: left} if left else others
    draft.changed.add("identifiers")
    draft.incomplete = True


def _engaged(draft: Draft, event: PersonEvent, answer: _Engaged) -> None:
    channel = answer.channel or ""
    counts = draft.activity.get(channel, {})
    suffix = event.type.partition(".")[2]
    counted = {**counts, suffix: counts.get(suffix, 0) + 1}
    draft.activity = {**draft.activity, channel: counted}
    if isinstance(answer, EngagementUnsubscribed):
        _withdraw(draft, event, f"marketing.{channel}" if channel else "marketing")
