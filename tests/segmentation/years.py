"""A year of somebody's life, made by chance, and that year followed as the platform follows it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import msgspec

from services.profile.domain.differences import differences
from services.profile.domain.fold import NOBODY, Folded, fold, refold
from services.profile.domain.packed import PackedFacts, unpack
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.segmentation.domain.arrival import Arrival, follow
from services.segmentation.domain.decide import by_time
from services.segmentation.domain.person import PersonCopy
from services.segmentation.domain.segment_set import Segment, SegmentSet
from tests.builders import (
    START,
    a_browse,
    a_cancellation,
    a_purchase,
    a_rating,
    a_refund,
    a_resolution,
    a_ticket,
    an_engagement,
    an_event,
    an_item,
    an_update,
)
from tests.profile.events import read
from tests.segmentation.people import rules_of
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, Instant, moment
from zhiyin.contracts.profiles import Cause, Snapshot, decode_snapshot, encode
from zhiyin.rules import Person, Verdict, touched

YEAR = 365 * DAY
_CATEGORIES = ("坚果", "零食", "阿胶糕", "护肤", "健身", "其他", None)
_KINDS = ("buy",) * 6 + ("look",) * 3 + ("cart", "ask", "say", "tell", "tell", "undo")
_CUSTOMERS = ({"member_id": "M1"}, {"member_id": "M1", "phone": "t1"}, {"openid": "o1"})


def a_year(random: Random) -> list[Event]:
    """Few or many events, often at the same hours of the day, so that they meet on boundaries; no
    two at one instant, where their ids would decide what came first."""
    count = random.choice((1, 4, 12, 40))
    fond = random.choice(_CATEGORIES)
    days = (int(random.choice((random.random(), 0.2)) * 364) for _ in range(count))
    instants = sorted(START + day * DAY + random.choice((0, 1, HOUR)) for day in days)
    for turn in range(1, count):
        instants[turn] = max(instants[turn], instants[turn - 1] + 1)
    return [_event(random, at, turn, fond) for turn, at in enumerate(instants)]


def _event(random: Random, at: Instant, turn: int, fond: str | None) -> Event:
    category = random.choice((fond, random.choice(_CATEGORIES)))
    given: dict[str, Any] = {
        "customer": random.choice(_CUSTOMERS),
        "event_id": f"e-{turn}",
    }
    match random.choice(
        ("buy",) * 6 + ("look",) * 3 + ("cart", "ask", "say", "tell", "undo", "do")
    ):
        case "buy":
            return a_purchase(
                at,
                total=random.choice(("0.10", "99.99", "500", "2000", "5000.01")),
                order_id=f"O-{turn}",
                items=[an_item(category=category)],
                gift=random.choice((None, True)),
                channel=random.choice(("online", "store", None)),
                coupon_codes=random.choice((None, [], ["C"])),
                **given,
            )
        case "look":
            return a_browse(at, category=category, **given)
        case "cart":
            kind = random.choice(("carted", "favorited", "visited_store"))
            about: dict[str, Any] = {"store_id": "S"} if kind == "visited_store" else {"sku": "A"}
            return an_event(f"browse.{kind}", at, **about, **given)
        case "ask":
            ticket = {"ticket_id": f"T-{turn % 3}", **given}
            return random.choice(
                (
                    a_ticket(at, kind=random.choice(("complaint", "question")), **ticket),
                    a_resolution(at, **ticket),
                    a_rating(at, score=random.randint(1, 5), **ticket),
                )
            )
        case "say":
            kind = random.choice(("opened", "clicked", "unsubscribed"))
            return random.choice(
                (
                    an_event("community.shared", at, **given),
                    an_event("community.reviewed", at, score=random.randint(1, 5), **given),
                    an_engagement(kind, at, **given),
                )
            )
        case "tell":
            purpose = random.choice(("marketing.sms", "marketing.email", "health"))
            said = {"consents": {purpose: random.random() < 0.8}}
            return an_update(
                at, **random.choice((said, {"attributes": _attributes(random, at)})), **given
            )
        case _:
            order = f"O-{random.randint(0, turn)}"
            if random.random() < 0.5:
                return a_cancellation(at, order_id=order, **given)
            return a_refund(at, order_id=order, amount="0.10", refund_id=f"R-{turn}", **given)


def _attributes(random: Random, at: Instant) -> dict[str, Any]:
    age = random.choice((0, 200, 364, 800, 8035, 9000, 21914))
    then = moment(at - age * DAY)
    return random.choice(
        (
            {"birthday": then.date().isoformat()},
            {"child_birthday": then.isoformat()},
            {"due_date": moment(at + 30 * DAY).date().isoformat()},
            {"first_job_at": then.isoformat()},
            {"occupation": random.choice(("学生", "教师"))},
            {"health.need": random.choice(("maintenance", "预防", "treatment"))},
            {"health.diet": random.choice((["low_sugar"], ["vegan"], "控糖"))},
        )
    )


def counting(rules: Mapping[str, Any], evaluated: Counter[str]) -> SegmentSet:
    """Segments that count how often each is evaluated."""
    plain = rules_of(rules)

    def counted(one: Segment) -> Segment:
        evaluate = one.compiled.evaluate

        def count(person: Person, now: Instant) -> Verdict:
            evaluated[one.key] += 1
            return evaluate(person, now)

        compiled = one.compiled.__class__(one.compiled.rule, count, one.compiled._root)
        return replace(one, compiled=compiled)

    ordered = tuple(map(counted, plain.ordered))
    return replace(plain, ordered=ordered)


@dataclass
class Followed:
    """A life folded event by event, its segments kept by events and by timers that fire when due.
    `concerned`: how many (event, segment) pairs there were in which the segment reads what the
    event changed, or another segment that it moved. `compares`: whether an event is decided with
    the copy before it at hand."""

    rules: SegmentSet
    evaluated: Counter[str]
    facts: PackedFacts = NOBODY
    told: list[PersonEvent] = field(default_factory=list)
    snapshot: Snapshot = field(default_factory=lambda: Snapshot("p-1", 0, 0, 0))
    known: PersonCopy | None = None
    flips: int = 0
    firings: int = 0
    concerned: int = 0
    compares: bool = True

    @property
    def members(self) -> set[str]:
        return set() if self.known is None else self.known.state.members

    def happens(self, event: Event) -> None:
        person_event = read(event)
        self.time_passes(person_event.at)
        changed = self._fold(person_event)
        stored = encode(self.snapshot)
        version = self.snapshot.version + 1
        self.snapshot = Snapshot("p-1", version, 0, 0, unpack(self.facts))
        packed = encode(self.snapshot)
        cause = Cause(
            event.event_id, event.type, event.source, person_event.at, person_event.at, False,
            msgspec.Raw(person_event.whole),
        )  # fmt: skip
        at = person_event.at
        seen = decode_snapshot(packed)
        arrival = Arrival(0, at, seen, packed, tuple(sorted(changed)), cause=(cause,))
        before = Counter(self.evaluated)
        verdict = follow(self.known, stored if self.compares else None, [arrival], self.rules, at)
        assert verdict is not None
        self._check_only_what_changed(changed, before, {one.segment for one in verdict.told})
        self.known = verdict.after
        self.flips += len(verdict.told)

    def time_passes(self, until: Instant) -> None:
        while self.known is not None:
            due = self.known.state.next_due
            if due is None or due > until:
                return
            decision = by_time(self.snapshot, self.known.state, self.rules, due)
            self.known = PersonCopy("p-1", 0, self.known.version, 0, decision.state)
            self.flips += len(decision.flips)
            self.firings += 1

    def _fold(self, event: PersonEvent) -> frozenset[str]:
        self.told.append(event)
        folded = fold(self.facts, [event], PLAIN)
        if isinstance(folded, Folded):
            self.facts = folded.facts
            return folded.changed
        # The first consent to health facts brings those said before it: out of the whole history.
        before, self.facts = self.facts, self.refolded()
        return differences(before, self.facts) | {f"events.{event.type}"}

    def _check_only_what_changed(
        self, changed: frozenset[str], before: Counter[str], flipped: set[str]
    ) -> None:
        """What an event evaluated reads something it changed, or a segment it flipped."""
        if self.known is None:
            self.concerned += len(self.rules.ordered)
            return
        names = touched(changed) | {f"segments.{key}" for key in flipped}
        reading = {one.key for one in self.rules.ordered if one.reads & names}
        evaluated = {key for key in self.evaluated if self.evaluated[key] > before[key]}
        assert evaluated <= reading
        self.concerned += len(reading)

    def refolded(self) -> PackedFacts:
        return refold(self.told, PLAIN)
