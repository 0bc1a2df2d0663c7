"""Facts stay small and equal what the tables say, however much somebody buys."""

from bench import heavy_person, households
from services.profile.domain.fold import Folded, fold, refold
from services.profile.domain.packed import PackedFacts, unpack
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from tests.builders import START, a_browse
from tests.profile.events import READER, read
from zhiyin.contracts.instants import HOUR
from zhiyin.contracts.profiles import DayCounts, encode
from zhiyin.facts.counted import day_ends

MOST = 32 * 1024


def test_twenty_thousand_events_of_one_person_leave_facts_of_at_most_32_kb() -> None:
    events = [READER.read(value, 1 << 60) for value in heavy_person.stream(20_000)]
    read = [event for event in events if isinstance(event, PersonEvent)]
    assert len(read) == 20_000
    assert len(encode(refold(read, PLAIN))) <= MOST


def test_the_fold_of_a_long_history_asks_for_all_of_it_hardly_ever() -> None:
    assert heavy_person.cost_after(2_000, rounds=1).asked <= 2


def test_forty_households_of_real_purchases_are_what_pandas_says() -> None:
    tally = households.compare(40)
    assert tally.households >= 35
    assert tally.differences == []


def test_views_in_thousands_of_categories_are_all_counted_in_at_most_32_kb() -> None:
    views = [
        read(a_browse(START + number * HOUR, event_id=f"v{number}", category=f"类目之{number}"))
        for number in range(3_000)
    ]
    one = refold(views, PLAIN)
    assert len(encode(one)) <= MOST
    counted = sum(sum(n for _, n in day_ends(each)) for each in days_of(one).values())
    assert counted + len(unpack(one).kept["browse"]) == 3_000
    other = refold(views[::2], PLAIN)
    for start in range(1, 3_000, 1_000):
        folded = fold(other, views[start : start + 1_000 : 2], PLAIN)
        assert isinstance(folded, Folded)
        other = folded.facts
    assert encode(other) == encode(one)


def days_of(facts: PackedFacts) -> dict[str, DayCounts | dict[str, int]]:
    return unpack(facts).days["browse.viewed"]
