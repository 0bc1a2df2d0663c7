"""Facts while a few events are being folded into them: mutable inside one fold, frozen outside."""

from typing import Final

import msgspec
from msgspec import Raw

from services.profile.domain.books import Books
from services.profile.domain.counting import together, with_event
from services.profile.domain.crowding import crowded_out
from services.profile.domain.history import History
from services.profile.domain.hours import Hours
from services.profile.domain.packed import (
    NO_GIFTS,
    NO_ORDERS,
    NO_PRICES,
    NO_TICKETS,
    PackedFacts,
)
from services.profile.domain.person_event import NO_HOUR, PersonEvent
from services.profile.domain.policy import Policy
from zhiyin.contracts.buying import Buying
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Attribute, Consent, DayCounts, Seen
from zhiyin.facts.life import LIFE_ATTRIBUTES

_day_counts: Final = msgspec.msgpack.Decoder(DayCounts | dict[str, int])
_encode: Final = msgspec.msgpack.Encoder().encode
PURCHASE: Final = "purchase"
SUPPORT: Final = "support"
# Of these what an event does hangs on those before it, so none may be missed.
ORDERED: Final = frozenset({PURCHASE, SUPPORT})


class Draft:
    """What is not a fresh copy is replaced, never written into: it belongs to `before`.

    `whole`: all events there are come now. `changed` collects dependency names. `rebook`: the open
    orders must be counted again; `superseded`: there are two of one id among them. `incomplete`:
    it takes what is no longer kept."""

    def __init__(self, facts: PackedFacts, policy: Policy, *, whole: bool = False) -> None:
        self.before = facts
        self.policy = policy
        self.whole = whole
        self.identifiers = facts.identifiers
        self.attributes = facts.attributes
        self.consents = facts.consents
        self.tickets = facts.tickets
        self.seen = dict(facts.seen)
        self.kept = dict(facts.kept)
        self.days = facts.days
        self.activity = facts.activity
        self.newest = facts.newest
        self.unlinked = facts.unlinked
        self.tickets_past = facts.tickets_past
        self.forgotten = facts.forgotten
        self.remembered = facts.remembered
        self.notes = facts.notes
        self.bounced = facts.bounced
        self.changed: set[str] = set()
        self.rebook = False
        self.superseded = False
        self.incomplete = False
        self._crowded = False
        self._histories: dict[str, History] = {}
        self._books: Books | None = None
        self._hours: Hours | None = None

    @property
    def books(self) -> Books:
        """Opened by the first purchase."""
        if self._books is None:
            self._books = Books(self.before, self.policy.limits)
        return self._books

    def history(self, family: str) -> History:
        history = self._histories.get(family)
        if history is None:
            history = self._histories[family] = History(self.kept.get(family))
        return history

    def opened(self) -> list[str]:
        """The families of which events have come."""
        return list(self._histories)

    def keep(self, event: PersonEvent) -> int | None:
        """What every event does: it is kept, counted, timed, and names its identifiers. How many
        newer ones of its family there are; None if it is older than all that are kept."""
        newer = self._file(event)
        self.changed.add(f"events.{event.type}")
        self.seen[event.type] = _seen(self.seen.get(event.type), event.at)
        if event.hour != NO_HOUR:
            if self._hours is None:
                self._hours = Hours(self.before.hours)
            self._hours.count(event.hour)
            self.changed.add("hours")
        self.name(event)
        return newer

    def name(self, event: PersonEvent) -> None:
        for namespace, token in event.identifiers:
            if namespace != "profile_id":
                self.identify(namespace, token, event)

    def _file(self, event: PersonEvent) -> int | None:
        if event.at > self.newest:
            self.newest = event.at
            self.history(event.family).append(event.kept)
            return 0
        last = self.forgotten.get(event.family)
        if last is not None and (event.at, event.event_id, event.source) < last:
            return None
        return self.history(event.family).insert(event.kept)

    def identify(self, namespace: str, token: str, event: PersonEvent) -> None:
        shown = event.masks.get(namespace, "")
        known = self.identifiers.get(namespace)
        if known is not None and known.get(token, "") >= shown and token in known:
            return
        if self.unlinked and f"{namespace}:{token}" in self.unlinked:
            return
        tokens = {**(known or {}), token: shown}
        self.identifiers = {**self.identifiers, namespace: tokens}
        self.changed.add("identifiers")

    def say(self, name: str, attribute: Attribute) -> None:
        """Of sources trusted alike the newest (at, event_id, source) wins. A value of None stays,
        so that nothing older comes back."""
        known = self.attributes.get(name)
        if known is None or self._outranks(attribute, known):
            self.attributes = {**self.attributes, name: attribute}
            self.changed.add(f"attributes.{name}")
            if f"attributes.{name}" in LIFE_ATTRIBUTES:
                self.changed.add("life")

    def _outranks(self, one: Attribute, other: Attribute) -> bool:
        if not self.policy.source_trust:
            return _newer(one, other)
        trust, known = self.policy.trust(one.source), self.policy.trust(other.source)
        return trust > known or (trust == known and _newer(one, other))

    def consent(self, purpose: str, consent: Consent) -> None:
        known = self.consents.get(purpose)
        if known is None or _newer(consent, known):
            self.consents = {**self.consents, purpose: consent}
            self.changed.add(f"consents.{purpose}")

    def bounce(self, address: str, at: Instant) -> None:
        """A message to this address (`namespace:token`) came back for good."""
        if at > self.bounced.get(address, 0):
            self.bounced = {**self.bounced, address: at}
            self.changed.add("identifiers")

    def count_event(self, event_type: str, category: str, at: Instant, exact: int) -> None:
        """An event that is only counted now. `exact`: so many of the newest to the instant."""
        packed = self.days.get(event_type, {}).get(category)
        known = None if packed is None else _day_counts.decode(packed)
        self._put_days(event_type, category, with_event(known, at, exact))
        self._crowded |= packed is None and category != ""

    def crowd_out(self) -> None:
        """Where there are too many categories, count some without their names."""
        if not self._crowded:
            return
        names = ((kind, name) for kind, held in self.days.items() for name in held if name)
        for kind, name in crowded_out(names, self.policy.limits.day_names):
            held = dict(self.days[kind])
            gone = _day_counts.decode(held.pop(name))
            self.days = {**self.days, kind: held}
            # Of purchases all are counted without a name as well.
            if not kind.startswith(f"{PURCHASE}."):
                rest = held.get("")
                known = None if rest is None else _day_counts.decode(rest)
                self._put_days(kind, "", together(known, gone))

    def _put_days(self, event_type: str, category: str, counts: DayCounts) -> None:
        categories = {**self.days.get(event_type, {}), category: Raw(_encode(counts))}
        self.days = {**self.days, event_type: categories}

    def packed(self) -> PackedFacts:
        for family, history in self._histories.items():
            if len(history):
                self.kept[family] = history.packed()
            else:
                self.kept.pop(family, None)
        old = self.before
        books = self._books
        if books is None:
            buying = Buying(old.orders, old.gifts, old.prices, old.channels, old.stores)
        else:
            buying = books.buying
        return PackedFacts(
            identifiers=self.identifiers,
            attributes=self.attributes,
            consents=self.consents,
            orders=NO_ORDERS if buying.orders == NO_ORDERS else buying.orders,
            orders_kept=old.orders_kept if books is None else books.orders_kept,
            categories=old.categories if books is None else books.categories.close(),
            skus=old.skus if books is None else books.skus.close(),
            tickets=self.tickets,
            seen=self.seen,
            kept=self.kept,
            days=self.days,
            hours=old.hours if self._hours is None else self._hours.packed(),
            activity=self.activity,
            newest=self.newest,
            unlinked=self.unlinked,
            gifts=NO_GIFTS if buying.gifts == NO_GIFTS else buying.gifts,
            prices=NO_PRICES if buying.prices == NO_PRICES else buying.prices,
            channels=buying.channels,
            stores=buying.stores,
            settled=old.settled if books is None else books.packed_settled(),
            tickets_past=NO_TICKETS if self.tickets_past == NO_TICKETS else self.tickets_past,
            forgotten=self.forgotten,
            remembered=self.remembered,
            notes=self.notes,
            bounced=self.bounced,
        )


def _seen(known: Seen | None, at: Instant) -> Seen:
    if known is None:
        return Seen(1, at, at)
    if at >= known.last_at:
        return Seen(known.count + 1, known.first_at, at)
    return Seen(known.count + 1, min(known.first_at, at), known.last_at)


def _newer(one: Attribute | Consent, other: Attribute | Consent) -> bool:
    return (one.at, one.event_id, one.source) > (other.at, other.event_id, other.source)
