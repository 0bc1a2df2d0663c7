"""Facts while a few events are being folded into them: mutable inside one fold, frozen outside."""

from typing import Final

import msgspec
from msgspec import Raw

from services.profile.domain.books import Books
from services.profile.domain.history import History, may_start_before
from services.profile.domain.hours import Hours
from services.profile.domain.packed import NO_ORDERS, PackedFacts
from services.profile.domain.person_event import NO_HOUR, PersonEvent
from services.profile.domain.policy import Policy
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Attribute, Consent, Seen

_day_counts: Final = msgspec.msgpack.Decoder(dict[str, int])
_days_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
BROWSE: Final = "browse"
PURCHASE: Final = "purchase"


class Draft:
    """What is not a fresh copy is replaced, never written into: it belongs to `before`.

    `changed` collects dependency names. `rebook`: the books must be made anew from what is
    kept. `incomplete`: that would take what is no longer kept."""

    def __init__(self, facts: PackedFacts, policy: Policy) -> None:
        self.before = facts
        self.policy = policy
        self.identifiers = facts.identifiers
        self.attributes = facts.attributes
        self.consents = facts.consents
        self.tickets = facts.tickets
        self.seen = dict(facts.seen)
        self.kept = dict(facts.kept)
        self.days = facts.days
        self.activity = facts.activity
        self.newest = facts.newest
        self.pruned = facts.pruned
        self.unlinked = facts.unlinked
        self.changed: set[str] = set()
        self.rebook = False
        self.incomplete = False
        self._histories: dict[str, History] = {}
        self._books: Books | None = None
        self._hours: Hours | None = None

    @property
    def books(self) -> Books:
        """Opened by the first purchase."""
        if self._books is None:
            old = self.before
            self._books = Books(old.orders, old.orders_kept, old.categories, old.skus)
        return self._books

    @books.setter
    def books(self, books: Books) -> None:
        self._books = books

    def history(self, family: str) -> History:
        history = self._histories.get(family)
        if history is None:
            history = self._histories[family] = History(self.kept.get(family))
        return history

    def opened(self, family: str) -> bool:
        """Whether an event of the family has come."""
        return family in self._histories

    def families_before(self, horizon: Instant) -> list[str]:
        """Families that may hold events older than `horizon`."""
        untouched = (
            family
            for family, packed in self.kept.items()
            if family not in self._histories and may_start_before(packed, horizon)
        )
        return [*self._histories, *untouched]

    def keep(self, event: PersonEvent) -> None:
        """What every event does: it is kept, counted, timed, and names its identifiers."""
        at = event.at
        if at > self.newest:
            self.history(event.family).append(event.kept)
            self.newest = at
        else:
            self.history(event.family).insert(event.kept)
        self.changed.add(f"events.{event.type}")
        self.seen[event.type] = _seen(self.seen.get(event.type), at)
        if event.hour != NO_HOUR:
            if self._hours is None:
                self._hours = Hours(self.before.hours)
            self._hours.count(event.hour)
        for namespace, token in event.identifiers:
            if namespace != "profile_id":
                self.identify(namespace, token, event)

    def identify(self, namespace: str, token: str, event: PersonEvent) -> None:
        shown = event.masks.get(namespace, "")
        known = self.identifiers.get(namespace)
        if known is not None and known.get(token, "") >= shown and token in known:
            return
        if self.unlinked and self.unlinked.get(f"{namespace}:{token}", event.at - 1) >= event.at:
            return
        tokens = {**(known or {}), token: shown}
        self.identifiers = {**self.identifiers, namespace: tokens}
        self.changed.add("identifiers")

    def say(self, name: str, attribute: Attribute) -> None:
        """The newest (at, event_id, source) wins. A value of None stays, so that nothing older
        comes back."""
        known = self.attributes.get(name)
        if known is None or _newer(attribute, known):
            self.attributes = {**self.attributes, name: attribute}
            self.changed.add(f"attributes.{name}")

    def consent(self, purpose: str, consent: Consent) -> None:
        known = self.consents.get(purpose)
        if known is None or _newer(consent, known):
            self.consents = {**self.consents, purpose: consent}
            self.changed.add(f"consents.{purpose}")

    def count_day(self, event_type: str, category: str, day: int, horizon_days: int) -> None:
        """A browse event that is only counted now. Days far behind the newest are dropped."""
        categories = dict(self.days.get(event_type, {}))
        counts = _day_counts.decode(categories[category]) if category in categories else {}
        counts[str(day)] = counts.get(str(day), 0) + 1
        newest = max(map(int, counts))
        kept = {key: count for key, count in counts.items() if int(key) >= newest - horizon_days}
        categories[category] = Raw(_days_encoder.encode(kept))
        self.days = {**self.days, event_type: categories}

    def packed(self) -> PackedFacts:
        for family, history in self._histories.items():
            if len(history):
                self.kept[family] = history.packed()
            else:
                self.kept.pop(family, None)
        old = self.before
        books = self._books.close() if self._books is not None else old
        return PackedFacts(
            self.identifiers,
            self.attributes,
            self.consents,
            NO_ORDERS if books.orders == NO_ORDERS else books.orders,
            books.orders_kept,
            books.categories,
            books.skus,
            self.tickets,
            self.seen,
            self.kept,
            self.days,
            old.hours if self._hours is None else self._hours.packed(),
            self.activity,
            self.newest,
            self.pruned,
            self.unlinked,
        )


def _seen(known: Seen | None, at: Instant) -> Seen:
    if known is None:
        return Seen(1, at, at)
    if at >= known.last_at:
        return Seen(known.count + 1, known.first_at, at)
    return Seen(known.count + 1, min(known.first_at, at), known.last_at)


def _newer(one: Attribute | Consent, other: Attribute | Consent) -> bool:
    return (one.at, one.event_id, one.source) > (other.at, other.event_id, other.source)
