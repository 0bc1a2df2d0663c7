"""A small profile service for tests: people, the events they do, and merges, as the messages that
it would publish."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.builders import a_purchase
from tests.engagement.harness import NOON, a_change, reachable
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import MINUTE
from zhiyin.contracts.profiles import ProfileChanged


@dataclass
class People:
    """`messages` in the order in which they were published; `bought`: every order's event id."""

    prefix: str = ""
    messages: list[ProfileChanged] = field(default_factory=list)
    bought: list[Event] = field(default_factory=list)
    _events: dict[str, list[Event]] = field(default_factory=dict)
    _versions: dict[str, int] = field(default_factory=dict)
    _merged_from: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _gone: dict[str, tuple[int, list[Event], tuple[str, ...]]] = field(default_factory=dict)

    def appears(self, name: str) -> ProfileChanged:
        """Somebody who has not bought anything yet."""
        self._events[name], self._versions[name] = [], 1
        return self._told(name, [])

    @property
    def standing(self) -> list[str]:
        return sorted(self._events)

    def buys(self, name: str) -> ProfileChanged:
        order = f"{self.prefix}O{len(self.bought)}"
        event = a_purchase(NOON - MINUTE, order_id=order, event_id=order)
        self.bought.append(event)
        self._events.setdefault(name, []).append(event)
        self._versions[name] = self._versions.get(name, 0) + 1
        return self._told(name, [event])

    def merge(self, gone: str, kept: str) -> tuple[ProfileChanged, ProfileChanged]:
        """(the last of the absorbed person, the first of the kept one as both)."""
        version = self._versions.pop(gone) + 1
        self._gone[gone] = (version, self._events[gone], self._merged_from.get(gone, ()))
        former = a_change(
            self._events[gone],
            profile_id=gone,
            causes=[],
            version=version,
            merged_from=self._merged_from.get(gone, ()),
            merged_into=kept,
            message_id=f"{self.prefix}{gone}/{version}",
        )
        self._events[kept] += self._events.pop(gone)
        self._versions[kept] = max(self._versions[kept] + 1, version)
        self._merged_from[kept] = (
            *self._merged_from.get(kept, ()), gone, *self._merged_from.pop(gone, ()),
        )  # fmt: skip
        both = self._told(kept, [])
        self.messages.append(former)
        return former, both

    def part(self, gone: str, kept: str) -> tuple[ProfileChanged, ProfileChanged]:
        """(the first of somebody who is a person of their own again, who they were part of)."""
        version, events, formers = self._gone.pop(gone)
        outdated = {kept: self._versions[kept]}
        self._events[gone], self._versions[gone] = events, version + 1
        self._merged_from[gone] = formers
        self._events[kept] = [each for each in self._events[kept] if each not in events]
        self._versions[kept] += 1
        self._merged_from[kept] = tuple(
            each for each in self._merged_from[kept] if each not in (gone, *formers)
        )
        return self._told(gone, [], parted_from=outdated), self._told(kept, [])

    def _told(self, name: str, causes: Iterable[Event], **more: Any) -> ProfileChanged:
        version = self._versions[name]
        told = a_change(
            self._events[name],
            profile_id=name,
            causes=causes,
            version=version,
            merged_from=self._merged_from.get(name, ()),
            identifiers=reachable(),
            message_id=f"{self.prefix}{name}/{version}",
            **more,
        )
        self.messages.append(told)
        return told


def a_history(seed: int) -> People:
    """Four people, a dozen orders, up to three merges in between."""
    rng = random.Random(seed)
    people = People(prefix=f"{seed}-")
    names = [f"{seed}-p{number}" for number in range(4)]
    for name in names:
        people.buys(name)
    for _ in range(8):
        if len(people.standing) > 1 and rng.random() < 0.4:
            gone, kept = rng.sample(people.standing, 2)
            people.merge(gone, kept)
        else:
            people.buys(rng.choice(people.standing))
    return people


def in_any_order(people: People, seed: int) -> list[list[ProfileChanged]]:
    """Their messages, some twice, in batches."""
    rng = random.Random(seed)
    shuffled = [*people.messages, *rng.sample(people.messages, 3)]
    rng.shuffle(shuffled)
    batches = []
    while shuffled:
        size = rng.choice((1, 1, 2, 3))
        batches.append(shuffled[:size])
        shuffled = shuffled[size:]
    return batches
