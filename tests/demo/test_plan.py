"""The plan: the same events on every run, and somebody whose 90 days end on time."""

from pathlib import Path

import pytest

from zhiyin.contracts.instants import DAY, SECOND
from zhiyin.demo.errors import DemoError
from zhiyin.demo.heroes import APART, choose, moved
from zhiyin.demo.plan import Plan, keep_plan, new_plan, read_plan
from zhiyin.demo.story import Story, posted, shortened, whole_story

NOW = 1_800_000_000_000_000


@pytest.fixture(scope="module")
def story() -> Story:
    return shortened(whole_story(), 20_000)


def test_there_is_no_plan_before_the_first_run(tmp_path: Path) -> None:
    assert read_plan(tmp_path) is None


def test_a_second_run_posts_the_very_same_bytes(tmp_path: Path, story: Story) -> None:
    plan = moved(new_plan(story.ends, NOW), choose(story), NOW + 20 * SECOND)
    keep_plan(tmp_path, plan)
    again = read_plan(tmp_path)
    assert again == plan
    assert [posted(one, again) for one in story.drafts] == [
        posted(one, plan) for one in story.drafts
    ]


def test_a_damaged_plan_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")
    with pytest.raises(DemoError, match="remove it to begin anew"):
        read_plan(tmp_path)


def test_the_heroes_90_days_end_when_asked_and_shortly_after_each_other(story: Story) -> None:
    heroes = choose(story)
    due = NOW + 20 * SECOND
    plan = moved(new_plan(story.ends, NOW), heroes, due)
    assert [hero.due(plan) for hero in heroes] == [due, due + APART, due + 2 * APART]


def test_nothing_of_a_hero_lies_in_the_future_and_all_of_it_is_history(story: Story) -> None:
    heroes = choose(story)
    plan = moved(new_plan(story.ends, NOW), heroes, NOW + 20 * SECOND)
    for hero in heroes:
        for draft in hero.drafts:
            assert plan.when(draft.at, draft.household) < NOW - 30 * DAY
            assert b'"import":true' in posted(draft, plan)


def test_everybody_else_stays_where_they_were(story: Story) -> None:
    heroes = {hero.who.number for hero in choose(story)}
    before = new_plan(story.ends, NOW)
    after = moved(before, choose(story), NOW)
    others = [draft for draft in story.drafts if draft.household not in heroes]
    assert all(posted(one, before) == posted(one, after) for one in others[:500])
    assert isinstance(after, Plan)
