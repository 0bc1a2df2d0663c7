"""(i) A year on a clock of its own: memberships kept live against a recompute from raw events.

The plain recompute and the following of a life are those of the tests; here they run over more
lives, and over real ones.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import msgspec

from bench.report import Figure
from services.segmentation.domain.ready_segments.shelf import LIBRARY
from tests.segmentation.people import rules_of
from tests.segmentation.plainly import members
from tests.segmentation.years import Followed, a_year, counting
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, instant, moment
from zhiyin.demo.datasets.draft import Draft
from zhiyin.demo.story import whole_story

GENERATED = 200
HOUSEHOLDS = 30
INSTANTS = 12


def run() -> Sequence[Figure]:
    random = Random(7)
    ready = {one.key: one.rule for one in LIBRARY}
    rules = {one.key: ready[one.key] for one in rules_of(ready).ordered}
    made = (a_year(random) for _ in range(GENERATED))
    return [
        *_compared("generated", made, rules, random),
        *_compared("real", _households(), rules, random),
    ]


def _compared(
    what: str, lives: Iterable[list[Event]], rules: Mapping[str, Any], random: Random
) -> Iterator[Figure]:
    evaluated: Counter[str] = Counter()
    people, events, answers, differences, flips, concerned, firings = 0, 0, 0, 0, 0, 0, 0
    started = time.perf_counter()
    for life in lives:
        followed = Followed(counting(rules, evaluated), evaluated)
        first = instant(life[0].occurred_at)
        checks = sorted(first + random.randrange(420 * DAY) for _ in range(INSTANTS))
        done = 0
        for check in checks:
            while done < len(life) and instant(life[done].occurred_at) <= check:
                followed.happens(life[done])
                done += 1
            followed.time_passes(check)
            differences += len(followed.members ^ members(life[:done], rules, check))
            answers += len(rules)
        people += 1
        events += done
        flips += followed.flips
        concerned += followed.concerned
        firings += followed.firings
    yield Figure(f"{what}: people", people, "")
    yield Figure(f"{what}: events", events, "")
    yield Figure(f"{what}: memberships compared", answers, "")
    yield Figure(f"{what}: differences", differences, "")
    yield Figure(f"{what}: evaluations", evaluated.total(), "")
    yield Figure(f"{what}: flips", flips, "")
    yield Figure(f"{what}: segment-event pairs concerned", concerned, "")
    yield Figure(
        f"{what}: evaluations per flip or pair", evaluated.total() / (flips + concerned), ""
    )
    yield Figure(f"{what}: evaluations per flip or event", evaluated.total() / (flips + events), "")
    yield Figure(f"{what}: timer firings per flip or event", firings / (flips + events), "")
    yield Figure(f"{what}: time", time.perf_counter() - started, "s")


def _households() -> Iterator[list[Event]]:
    """Every so many of the demo's households, with all that is known of their year."""
    by_household: defaultdict[int, list[Draft]] = defaultdict(list)
    for draft in whole_story().drafts:
        if draft.household is not None:
            by_household[draft.household].append(draft)
    chosen = sorted(by_household)[:: max(len(by_household) // HOUSEHOLDS, 1)]
    for number in chosen:
        yield [_event(draft) for draft in by_household[number]]


def _event(draft: Draft) -> Event:
    return Event(
        draft.event_id,
        draft.type,
        moment(draft.at),
        dict(draft.customer),
        msgspec.Raw(msgspec.json.encode(draft.properties)),
        draft.source,
    )
