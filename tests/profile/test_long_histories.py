"""Facts stay small and equal what the tables say, however much somebody buys."""

from bench import heavy_person, households
from services.profile.domain.fold import refold
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from tests.profile.events import READER
from zhiyin.contracts.profiles import encode

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
