"""What the datasets hold once they are events."""

from collections import Counter
from decimal import Decimal

import msgspec
import phonenumbers
import pytest

from zhiyin.contracts.events import Event, properties_of
from zhiyin.contracts.instants import MINUTE, instant
from zhiyin.contracts.properties.event_types import PROPERTIES, known
from zhiyin.demo.datasets.households import household
from zhiyin.demo.plan import new_plan
from zhiyin.demo.reconcile import source_accounts
from zhiyin.demo.story import Story, posted, shortened, whole_story

NOW = 1_800_000_000_000_000


@pytest.fixture(scope="module")
def story() -> Story:
    return whole_story()


def test_the_purchases_are_the_141_357_lines_of_2_376_households(story: Story) -> None:
    assert sum(len(basket.lines) for basket in story.baskets) == 141_357
    assert len(story.households) == 2_376


def test_every_cent_of_the_source_is_in_an_event(story: Story) -> None:
    orders: Counter[int] = Counter()
    cents: Counter[int] = Counter()
    for draft in story.drafts:
        if draft.type == "purchase.completed":
            assert draft.household is not None
            orders[draft.household] += 1
            cents[draft.household] += int(Decimal(draft.properties["total"]) * 100)
    source = source_accounts()
    assert {one: (orders[one], cents[one]) for one in orders} == {
        one: (account.orders, account.total) for one, account in source.items()
    }
    assert sum(cents.values()) == 31_733_023


def test_every_click_of_the_source_is_an_event(story: Story) -> None:
    assert sum(draft.event_id.startswith("click-") for draft in story.drafts) == 31_106


def test_every_event_is_one_the_contract_knows(story: Story) -> None:
    plan = new_plan(story.ends, NOW)
    kinds = set()
    for draft in story.drafts[::7]:
        event = msgspec.json.decode(posted(draft, plan), type=Event)
        assert known(event.type)
        if event.type in PROPERTIES:
            properties_of(event)
        kinds.add(event.type)
    assert {"purchase.completed", "browse.viewed", "support.opened", "customer.linked"} <= kinds


def test_event_ids_are_unique_within_their_source(story: Story) -> None:
    ids = {(draft.source, draft.event_id) for draft in story.drafts}
    assert len(ids) == len(story.drafts)


def test_phones_are_valid_and_belong_to_one_household_each(story: Story) -> None:
    phones = [household(number).phone for number in story.households]
    given = [phone for phone in phones if phone]
    assert len(set(given)) == len(given)
    assert 0.6 < len(given) / len(phones) < 0.7
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in given)


def test_some_orders_carry_nothing_but_the_phone(story: Story) -> None:
    till = [draft for draft in story.drafts if set(draft.customer) == {"phone"}]
    assert len(till) > 1000


def test_the_year_ends_a_minute_before_now_and_its_last_three_days_are_live(story: Story) -> None:
    plan = new_plan(story.ends, NOW)
    events = [msgspec.json.decode(posted(draft, plan), type=Event) for draft in story.drafts]
    assert max(instant(event.occurred_at) for event in events) == NOW - MINUTE
    live = [event for event in events if not event.imported]
    assert 500 < len(live) < 3000
    assert min(instant(event.occurred_at) for event in live) >= plan.live_from


def test_a_shortened_story_keeps_households_whole(story: Story) -> None:
    short = shortened(story, 2000)
    assert 1000 < len(short.drafts) <= 2000
    for number in list(short.households)[:5]:
        assert short.of(number) == story.of(number)
