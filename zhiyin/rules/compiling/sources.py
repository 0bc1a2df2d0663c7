"""Where a clause's events come from: one reading per person, shared by all rules that name it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import exponent
from zhiyin.rules.marks import events_by_mark, marks_asked
from zhiyin.rules.numbers import millionths
from zhiyin.rules.options import Options
from zhiyin.rules.person import Person
from zhiyin.rules.series import (
    COMPLETED,
    Series,
    all_events,
    events_where,
    series_of,
    settled_orders,
)
from zhiyin.rules.tree import Selector
from zhiyin.rules.where import compile_where, condition_meets, found_at, has_items, items_of

_MILLION_DIGITS: Final = 6
_encoder: Final = msgspec.json.Encoder()


class Source:
    """The events a selector names. Equal selectors share what one of them has worked out."""

    __slots__ = ("_bare", "_by_day", "_key", "_meets", "_picks", "_type")

    def __init__(self, selector: Selector, options: Options) -> None:
        self._type = selector.event
        self._key = _encoder.encode(selector).decode()
        self._meets = compile_where(selector.where, selector.event, options)
        self._bare = not selector.where
        self._by_day = all(each.property == "category" for each in selector.where)
        # Events are looked up by one property's value where that is possible; the rest is tested.
        asked = ((each.property, marks_asked(each)) for each in selector.where)
        self._picks = next(((name, marks) for name, marks in asked if marks), None)

    def read(self, person: Person) -> Series:
        found: Series | None = person.known.get(self._key)
        if found is None:
            found = person.known[self._key] = self._find(person)
        return found

    def _find(self, person: Person) -> Series:
        if self._bare:
            return all_events(person, self._type)
        places = self._picked(person)
        return events_where(person, self._type, self._meets, places, by_day=self._by_day)

    def _picked(self, person: Person) -> Sequence[int]:
        if self._picks is None:
            return range(len(person.kept(self._type)))
        name, marks = self._picks
        found = events_by_mark(person, self._type, name)
        return sorted({place for mark in marks for place in found.get(mark, ())})


class Measure:
    """The numbers a property has in the events of a selector, in millionths. Where a purchase
    itself has no such property its items have it: those that meet the conditions."""

    __slots__ = ("_conditions", "_key", "_meets", "_minor", "_property", "_type")

    def __init__(self, selector: Selector, name: str, options: Options) -> None:
        self._type = selector.event
        self._property = name
        self._key = f"{name}\0{_encoder.encode(selector).decode()}"
        self._meets = compile_where(selector.where, selector.event, options)
        self._conditions = [condition_meets(each, options) for each in selector.where]
        self._minor = 10 ** (_MILLION_DIGITS - exponent(options.currency))

    def read(self, person: Person) -> Series:
        found: Series | None = person.known.get(self._key)
        if found is None:
            found = person.known[self._key] = self._find(person)
        return found

    def _find(self, person: Person) -> Series:
        pairs = zip(person.kept(self._type), person.properties(self._type), strict=True)
        kept = [
            (event.at, number, event.event_id)
            for event, properties in pairs
            if self._meets(properties)
            for number in self._numbers(properties)
        ]
        return series_of([*self._settled(person), *kept])

    def _settled(self, person: Person) -> Iterator[tuple[Instant, int, str]]:
        """Of orders that are no longer kept the totals are known, net of refunds."""
        if self._type == COMPLETED and self._property == "total" and not self._conditions:
            for at, net in settled_orders(person):
                yield at, net * self._minor, ""

    def _numbers(self, properties: Mapping[str, Any]) -> list[int]:
        own = _numbers_at(properties, self._property)
        if own or not has_items(self._type):
            return own
        asked = [meets for meets in self._conditions if not meets(properties)]
        return [
            number
            for item in items_of(properties)
            if all(meets(item) for meets in asked)
            for number in _numbers_at(item, self._property)
        ]


def _numbers_at(properties: Mapping[str, Any], name: str) -> list[int]:
    found = map(millionths, found_at(properties, name))
    return [number for number in found if number is not None]
