"""Every ready tag: somebody who gets it, and somebody who comes close and does not."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest

from services.profile.domain.change import World, by_events, by_history, newborn
from services.profile.domain.fold import NeedsHistory
from services.profile.domain.logged_event import LoggedEvent
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Reader
from services.profile.domain.ready_tags import LIBRARY
from services.profile.domain.tag_set import Definition, build_tag_set
from tests.builders import START, a_browse, a_purchase, a_ticket, an_event, an_item, an_update
from zhiyin.contracts.events import Event, encode_event
from zhiyin.contracts.heard import Heard
from zhiyin.contracts.instants import DAY
from zhiyin.rules import Options

NOW = START + 400 * DAY
READER = Reader("CNY", ZoneInfo("Asia/Shanghai"))
RULES = build_tag_set(
    1, [Definition(each.tag, 1, each.rule, each.ttl, 1) for each in LIBRARY], Options()
)


def tags_of(events: Sequence[Event]) -> set[str]:
    """The tags of a person after these events, which came in this order, at NOW."""
    state = newborn("P1", NOW)
    told: list[PersonEvent] = []
    for event in sorted(events, key=lambda each: each.occurred_at):
        read = READER.read_logged(encode_event(event))
        assert isinstance(read, PersonEvent), read
        told.append(read)
        change = by_events(state, [read], World(RULES, PLAIN, NOW))
        if isinstance(change, NeedsHistory):  # the first consent to health facts brings older ones
            change = by_history(state, told, [read], World(RULES, PLAIN, NOW))
        state = change.after
    return {name for name, tag in state.snapshot.tags.items() if tag.holds(NOW)}


def order(days_ago: int, category: str, **more: Any) -> Event:
    item = an_item("S", category=category, quantity=more.pop("quantity", 1))
    return a_purchase(NOW - days_ago * DAY, items=[item], order_id=f"O-{days_ago}", **more)


def orders(category: str, *days_ago: int, **more: Any) -> list[Event]:
    return [order(days, category, **more) for days in days_ago]


def views(category: str, *days_ago: float, **more: Any) -> list[Event]:
    return [a_browse(NOW - round(days * DAY), category=category, **more) for days in days_ago]


def search(days_ago: int, query: str) -> Event:
    return an_event("browse.searched", NOW - days_ago * DAY, query=query)


def community(kind: str, *days_ago: int) -> list[Event]:
    return [
        an_event(f"community.{kind}", NOW - days * DAY, sku="S", event_id=f"{kind}-{days}")
        for days in days_ago
    ]


def words(days_ago: int, topic: Any = "other", mood: Any = "neutral") -> Event:
    event = a_ticket(NOW - days_ago * DAY, ticket_id=f"T{days_ago}", text="…")
    return LoggedEvent(**msgspec.structs.asdict(event), heard=Heard((topic,), mood, 0, "原话"))


FAN = views("健身", 3, 2, 1)
GIFTS = orders("礼盒", 200, 100, 20, gift=True)


class Case(NamedTuple):
    tag: str
    has: Sequence[Event]
    has_not: Sequence[Event]


CASES = [
    Case("tonic-lover", orders("阿胶糕", 200, 20), orders("阿胶糕", 370, 20)),
    Case("tonic-regular", orders("燕窝", 150, 90, 40, 5), orders("燕窝", 200, 90, 40, 5)),
    Case("tonic-curious", views("人参", 9, 5, 1), [*views("人参", 9, 5, 1), *orders("人参", 300)]),
    Case("tonic-big-spender", orders("燕窝", 9, 8, total="1500"), orders("燕窝", 9, total="2999")),
    Case("fitness-fan", FAN, [*FAN, *views("茶", 2.5)][::-1][:3]),
    Case("fitness-deep", [*FAN, order(0, "瑜伽垫")], orders("瑜伽垫", 1)),
    Case("young-wellness", orders("益生菌", 100, 9), orders("益生菌", 100, 9, gift=True)),
    Case("wellness-seeker", [search(20, "熬夜")], [search(31, "熬夜"), search(2, "坚果")]),
    Case("gift-buyer", GIFTS[:1], orders("礼盒", 20)),
    Case("gift-regular", GIFTS, GIFTS[1:]),
    Case("gift-premium", orders("燕窝", 9, gift=True, total="800"), orders("燕窝", 9, total="800")),
    Case("gift-shopping", views("礼盒", 5, 4, 3), views("礼盒", 9, 4, 1)),
    Case("health-manager", orders("鱼油", 90, 60, 5), orders("鱼油", 90, 60)),
    Case("health-persistent", orders("氨糖", 200, 90, 40, 5), orders("氨糖", 90, 40, 5)),
    Case("health-reader", views("健康", 9, 8, 7, kind="content"), views("健康", 9, 8, 7)),
    Case(
        "health-goal",
        [an_update(NOW - DAY, attributes={"health.goal": "睡眠"}, consents={"health": True})],
        [an_update(NOW - DAY, attributes={"health.goal": "睡眠"})],
    ),
    Case("snack-lover", orders("坚果", 80, 40, 2), orders("坚果", 95, 40, 2)),
    Case("nut-lover", orders("坚果", 170, 40, 2), orders("果干", 170, 40, 2)),
    Case("snack-stocker", orders("果干", 30, quantity=6), orders("果干", 30, quantity=2)),
    Case("baby-family", orders("奶粉", 200, 9), orders("奶粉", 200, 9, gift=True)),
    Case("expecting", orders("叶酸", 20), [search(300, "孕妇 营养")]),
    Case(
        "baby-weaning",
        [*orders("奶粉", 200), *orders("婴儿辅食", 60)],
        [*orders("奶粉", 200), *orders("婴儿辅食", 100)],
    ),
    Case("green-consumer", orders("有机", 300, 9), orders("有机", 9)),
    Case(
        "green-advocate",
        [*orders("有机", 300, 9), *community("shared", 20)],
        [*orders("有机", 300, 9), *community("reviewed", 20)],
    ),
    Case("sharer", community("shared", 80, 40, 3), community("shared", 95, 40, 3)),
    Case(
        "opinion-leader",
        [*community("shared", 9, 8, 7), *community("reviewed", 60, 50, 40, 30, 20)],
        community("reviewed", 60, 50, 40, 30, 20),
    ),
    Case("community-asker", community("asked", 20, 3), community("asked", 40, 3)),
    Case(
        "price-sensitive",
        orders("坚果", 100, 50, 3, coupon_codes=["C"]),
        orders("坚果", 100, 50, 3, coupon_codes=[]),
    ),
    Case(
        "coupon-only",
        orders("坚果", 50, 20, 3, coupon_codes=["C"]),
        [*orders("坚果", 90, 50, 20, coupon_codes=["C"]), order(3, "坚果")],
    ),
    Case("need-doubled", orders("阿胶", 300, 30) + orders("钙片", 10), orders("阿胶", 300, 30)),
    Case(
        "need-moved",
        [*orders("阿胶", 200), *orders("钙片", 10)],
        [*orders("阿胶", 20), *orders("钙片", 10)],
    ),
    *(
        Case(f"said-{topic.replace('_', '-')}", [words(80, topic)], [words(91, topic), words(3)])
        for topic in (
            "quality", "taste", "packaging", "logistics", "price", "effect", "usage", "after_sales",
        )
    ),
    Case("unhappy", [words(20, mood="negative")], [words(31, mood="negative"), words(2)]),
    Case(
        "delighted",
        [words(80, mood="positive"), words(2, mood="positive")],
        [words(2, mood="positive")],
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.tag)
def test_a_ready_tag_is_given_to_whom_it_is_meant_for(case: Case) -> None:
    assert case.tag in tags_of(case.has)
    assert case.tag not in tags_of(case.has_not)


def test_every_ready_tag_is_tested_and_says_what_it_is_in_chinese_and_english() -> None:
    assert sorted(case.tag for case in CASES) == sorted(each.tag for each in LIBRARY)
    assert len(LIBRARY) >= 25
    for each in LIBRARY:
        assert each.name_en.isascii()
        assert len(each.description_en) > 20
        assert not each.name.isascii()
        assert not each.description.isascii()


def test_the_library_serves_every_kind_of_customer_the_mission_names() -> None:
    assert {each.group for each in LIBRARY} >= {
        "traditional-tonic", "young-wellness", "gift", "health-management", "snacks", "baby",
        "green-consumption", "social-influence", "price-sensitive", "need-change",
    }  # fmt: skip
