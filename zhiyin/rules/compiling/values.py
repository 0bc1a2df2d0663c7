"""What stands under a path of the profile, in the units the profile keeps."""

from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from zhiyin.contracts.instants import Instant
from zhiyin.facts.habits import busiest_hour, preferred
from zhiyin.facts.life import Life, life, life_flips
from zhiyin.facts.lifecycle import since, stage_at
from zhiyin.facts.notes import standing_notes
from zhiyin.facts.prices import coupon_share, discounted_share, price_sensitivity
from zhiyin.facts.rfm import Rfm, rfm_course
from zhiyin.facts.summaries import average_order, browsing, support
from zhiyin.facts.thresholds import RfmThresholds
from zhiyin.facts.tiers import value_tier
from zhiyin.rules.compiling.named import NAMED, Read, due_dates
from zhiyin.rules.options import Options
from zhiyin.rules.paths import FactPath
from zhiyin.rules.person import Person


class State(NamedTuple):
    """A value and the instant from which it holds."""

    since: Instant
    value: Any


States = Callable[[Person, Instant], list[State]]

_FIXED: Final[dict[str, Read]] = {
    "profile_id": lambda person: person.snapshot.profile_id,
    "version": lambda person: person.snapshot.version,
    "created_at": lambda person: person.snapshot.created_at,
    "updated_at": lambda person: person.snapshot.updated_at,
    "merged_from": lambda person: person.snapshot.merged_from,
    "reorder": lambda person: tuple(due_dates(person)),
    "orders.count": lambda person: person.facts.orders.count,
    "orders.total": lambda person: person.facts.orders.total,
    "orders.average": lambda person: average_order(person.facts.orders),
    "orders.refunded": lambda person: person.facts.orders.refunded,
    "orders.first_at": lambda person: person.facts.orders.first_at,
    "orders.last_at": lambda person: person.facts.orders.last_at,
    "gifts.orders": lambda person: person.facts.gifts.orders,
    "gifts.total": lambda person: person.facts.gifts.total,
    "gifts.last_at": lambda person: person.facts.gifts.last_at,
    "price.sensitivity": lambda person: price_sensitivity(person.facts),
    "price.discounted_share": lambda person: discounted_share(person.facts),
    "price.coupon_share": lambda person: coupon_share(person.facts),
    "price.discounted_orders": lambda person: person.facts.prices.discounted,
    "price.coupon_orders": lambda person: person.facts.prices.coupons,
    "price.discount": lambda person: person.facts.prices.discount,
    "preferred.channel": lambda person: preferred(person.facts.channels),
    "preferred.store": lambda person: preferred(person.facts.stores),
    "preferred.hour": lambda person: busiest_hour(person.facts.hours),
    "notes": lambda person: tuple(sorted({n.kind for _, n in standing_notes(person.facts)})),
    "browse.count": lambda person: _browsing(person).events,
    "browse.last_at": lambda person: _browsing(person).last_at,
    "support.open_tickets": lambda person: _support(person).open_tickets,
    "support.complaints": lambda person: _support(person).complaints,
    "support.open_complaints": lambda person: _support(person).open_complaints,
    "support.last_at": lambda person: _support(person).last_at,
    "support.rating": lambda person: _rating(person),
}


def steady(path: FactPath) -> Read | None:
    """The reader of a value that only events change; None for one that time changes, too."""
    if path.name:
        return NAMED[path.root](path.name, path.field)
    return _FIXED.get(f"{path.root}.{path.field}" if path.field else path.root)


def changing(path: FactPath, options: Options) -> States:
    """What a value that time changes is at an instant, and every value it takes afterwards if no
    event arrives."""
    match path.root:
        case "rfm":
            return _scores(path.field, options.rfm)
        case "quintiles":
            return _scores(path.field, options.quintiles)
        case "lifecycle":
            return _stages if path.field == "stage" else _beginnings
        case "segments":
            return _segments
        case "life":
            return _life_states(path.field, options)
        case _:
            return _tags


def _life_states(field: str, options: Options) -> States:
    zone = options.zone

    def course(person: Person, now: Instant) -> list[tuple[Instant, Life]]:
        ats = (now, *life_flips(person.facts, now, zone))
        return [(at, life(person.facts, at, zone)) for at in ats]

    def states(person: Person, now: Instant) -> list[State]:
        found = person.once_at(now, ("life", options.time_zone), course)
        return [State(at, getattr(each, field)) for at, each in found]

    return states


def _browsing(person: Person) -> Any:
    return person.once("browsing", lambda each: browsing(each.facts))


def _support(person: Person) -> Any:
    return person.once("support", lambda each: support(each.facts))


def _rating(person: Person) -> Decimal | None:
    hundredths = _support(person).rating
    return None if hundredths is None else Decimal(hundredths) / 100


_SCORES: Final[dict[str, Callable[[Rfm], Any]]] = {
    "r": lambda scores: scores.r,
    "f": lambda scores: scores.f,
    "m": lambda scores: scores.m,
    "class": lambda scores: scores.class_,
    "tier": lambda scores: value_tier(scores.r, scores.m),
}


def _scores(field: str, thresholds: RfmThresholds) -> States:
    key, read = ("rfm", field, id(thresholds)), _SCORES[field]

    def work_out(person: Person, now: Instant) -> list[State]:
        return [State(at, read(each)) for at, each in _rfm_states(person, now, thresholds)]

    return lambda person, now: person.once_at(now, key, work_out)


def _rfm_states(
    person: Person, now: Instant, thresholds: RfmThresholds
) -> list[tuple[Instant, Rfm]]:
    def work_out(each: Person, now: Instant) -> list[tuple[Instant, Rfm]]:
        return rfm_course(each.history, now, thresholds)

    return person.once_at(now, ("rfm", id(thresholds)), work_out)


def _stages(person: Person, now: Instant) -> list[State]:
    return person.once_at(now, "stages", _work_out_stages)


def _work_out_stages(person: Person, now: Instant) -> list[State]:
    states, at = [], now
    while True:
        stage, flip = stage_at(person.history, at)
        states.append(State(at, stage))
        if flip is None:
            return states
        at = flip


def _beginnings(person: Person, now: Instant) -> list[State]:
    """`lifecycle.since`: every later stage begins when it flips."""
    (_, stage), *later = _stages(person, now)
    began = since(person.history, stage, now)
    first = person.snapshot.created_at if began is None else began
    return [State(now, first), *(State(at, at) for at, _ in later)]


def _tags(person: Person, now: Instant) -> list[State]:
    return person.once_at(now, "tags", _work_out_tags)


def _work_out_tags(person: Person, now: Instant) -> list[State]:
    tags = {name: tag.until for name, tag in person.snapshot.tags.items() if tag.holds(now)}
    ends = sorted({until for until in tags.values() if until is not None})
    return [
        State(at, frozenset(n for n, until in tags.items() if until is None or at < until))
        for at in (now, *ends)
    ]


def _segments(person: Person, now: Instant) -> list[State]:
    """The segments at an instant and after each flip that is known to come."""
    flips = person.segment_flips
    ats = sorted({at for each in flips.values() for at in each if at > now})
    return [State(at, _members(person, at)) for at in (now, *ats)]


def _members(person: Person, now: Instant) -> frozenset[str]:
    turned = {
        key for key, flips in person.segment_flips.items() if bisect_right(flips, now) % 2 == 1
    }
    return frozenset(turned.symmetric_difference(person.segments))
