"""For each segment of the library somebody who is in it and somebody who just is not."""

from typing import Any, Final

from tests.builders import (
    START,
    a_browse,
    a_purchase,
    a_rating,
    a_refund,
    a_ticket,
    an_engagement,
    an_event,
    an_item,
    an_update,
)
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, Instant, moment

NOW: Final[Instant] = START + 500 * DAY
Life = list[Event]


def ago(days: float) -> Instant:
    return NOW - int(days * DAY)


def bought(*days: float, total: str = "100", category: str = "坚果", **more: Any) -> Life:
    return [
        a_purchase(ago(each), total=total, items=[an_item(category=category)], **more)
        for each in days
    ]


def often(times: int, last: float = 1, every: float = 3, **more: Any) -> Life:
    return bought(*(last + turn * every for turn in range(times)), **more)


def looked(times: int, category: str | None = None, last: float = 1) -> Life:
    return [a_browse(ago(last + turn / 10), category=category) for turn in range(times)]


def did(kind: str, *days: float, **properties: Any) -> Life:
    return [an_event(kind, ago(each), **properties) for each in days]


def told(**attributes: Any) -> Life:
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    return [an_update(ago(1), attributes=named)]


def agreed(purpose: str, granted: bool = True) -> Life:
    return [an_update(ago(1), consents={purpose: granted})]


def known_by(**customer: str) -> Life:
    return [an_update(ago(2), attributes={"seen": True}, customer=customer)]


def refunded(*days: float) -> Life:
    return [
        a_refund(ago(each), order_id=f"O-{turn}", amount="1", refund_id=f"R-{turn}")
        for turn, each in enumerate(days)
    ]


def complained(*days: float) -> Life:
    return [
        a_ticket(ago(each), ticket_id=f"T-{turn}", kind="complaint")
        for turn, each in enumerate(days)
    ]


def rated(score: int) -> Life:
    return [a_ticket(ago(3)), a_rating(ago(2), score=score)]


def day(days: float) -> str:
    """The date so many days ago, from midnight UTC."""
    return moment(ago(days)).isoformat()


def health(need: str) -> Life:
    return agreed("health") + told(health__need=need)


LIVES: Final[dict[str, tuple[Life, Life]]] = {
    "high-value-loyal": (often(6, total="1000"), often(5, total="1000")),
    "potential-growth": (bought(60, total="2000"), bought(60.01, total="2000")),
    "churn-warning": (bought(180), bought(180.01)),
    "dormant": (bought(180.01), bought(180)),
    "new-or-small": (bought(60, total="1999"), bought(60, total="2000")),
    "champions": (often(10, total="1000"), often(10, total="999")),
    "promising-frequency": (often(3, total="500"), often(3, total="2000")),
    "slipping-big-spenders": (bought(61, total="5000"), bought(60, total="5000")),
    "leads": (looked(1), bought(1)),
    "new-customers": (bought(30), bought(30.01)),
    "first-order-7d": (bought(7.01), bought(7)),
    "one-time-buyers": (bought(30.01), bought(30)),
    "active-customers": (bought(90, 91), bought(90.01, 91)),
    "repeat-customers": (bought(90, 91, 92, 93), bought(90, 91, 92)),
    "loyal-customers": (often(10), often(9)),
    "at-risk-customers": (bought(60.01, 80), bought(60, 80)),
    "dormant-90d": (bought(90.01), bought(90)),
    "lost-customers": (bought(365.01), bought(365)),
    "loyal-10-a-year": (often(10), often(9)),
    "value-vip": (bought(180, total="5000"), bought(180.01, total="5000")),
    "value-potential": (bought(10, total="2000"), bought(10, total="5000")),
    "value-ordinary": (bought(10, total="1999.99"), bought(10, total="2000")),
    "value-lost": (bought(180.01), bought(180)),
    "big-spender-10k": (bought(365, total="10000"), bought(365.01, total="10000")),
    "large-baskets": (bought(1, 2, total="500"), bought(1, 2, total="499.98")),
    "persona-wellness": (often(3, category="阿胶糕"), often(2, category="阿胶糕")),
    "persona-snack-lover": (bought(90, 89, 88), bought(90.01, 89, 88)),
    "persona-beauty": (looked(5, "护肤"), looked(4, "护肤")),
    "persona-new-retail": (
        bought(1, 2, channel="online") + bought(3, 4, channel="store"),
        bought(1, 2, 3, 4, channel="online"),
    ),
    "health-maintenance": (health("maintenance"), told(health__need="maintenance")),
    "health-prevention": (health("预防"), health("maintenance")),
    "health-treatment": (health("treatment"), agreed("health", False) + health("treatment")[1:]),
    "health-low-sugar": (
        agreed("health") + told(health__diet=["vegan", "low_sugar"]),
        told(health__diet=["vegan", "low_sugar"]),
    ),
    "expecting-mothers": (told(due_date=day(-200)), told(due_date=day(15))),
    "new-mothers": (told(child_birthday=day(365)), told(child_birthday=day(365.1))),
    "toddler-parents": (told(child_birthday=day(1095)), told(child_birthday=day(1095.1))),
    "office-newcomers": (told(birthday=day(24 * 365.25)), told(birthday=day(28 * 365.25))),
    "students": (told(occupation="学生"), told(occupation="教师")),
    "silver-age": (told(birthday=day(60.1 * 365.25)), told(birthday=day(59.9 * 365.25))),
    "fitness-fans": (looked(3, "健身"), looked(2, "健身")),
    "gift-givers": (bought(1, 2, gift=True), bought(1, gift=True) + bought(2)),
    "birthday-soon": (
        told(birthday=day(30 * 365.25 - 6)[:10]),
        told(birthday=day(30 * 365.25 - 10)[:10]),
    ),
    "first-order-anniversary": (bought(361), bought(340)),
    "cart-abandoners": (did("browse.carted", 1, sku="S"), did("browse.carted", 0.01, sku="S")),
    "browsers-without-order": (looked(5), looked(5) + bought(100)),
    "store-visitors-without-purchase": (
        did("browse.visited_store", 7, store_id="S1"),
        did("browse.visited_store", 7, store_id="S1") + bought(7),
    ),
    "wishlist-owners": (
        did("browse.favorited", 30, sku="S"),
        did("browse.favorited", 30, sku="S") + bought(30),
    ),
    "coupon-lovers": (often(3, coupon_codes=["A"]), often(2, coupon_codes=["A"]) + bought(20)),
    "advocates": (
        did("community.reviewed", 1, score=4),
        did("community.reviewed", 1, score=3) + did("community.shared", 1),
    ),
    "message-responders": (
        [an_engagement("opened", ago(60))],
        [an_engagement("opened", ago(60.01)), an_engagement("delivered", ago(1))],
    ),
    "online-only": (bought(1, channel="online"), bought(1, channel="store")),
    "store-only": (bought(1, channel="store"), bought(1, channel="online")),
    "omnichannel": (
        bought(1, channel="online") + bought(2, channel="store"),
        bought(1, 2, channel="store"),
    ),
    "sms-reachable": (
        known_by(phone="t-1") + agreed("marketing.sms"),
        known_by(phone="t-1") + agreed("marketing.sms", False),
    ),
    "email-reachable": (
        known_by(email="t-1") + agreed("marketing.email"),
        known_by(phone="t-1") + agreed("marketing.email"),
    ),
    "wechat-connected": (known_by(openid="o-1"), known_by(member_id="M1")),
    "open-complaint": (
        complained(400),
        [*complained(400), an_event("support.resolved", ago(399), ticket_id="T-0")],
    ),
    "repeat-complainers": (complained(180, 1), complained(180.01, 1)),
    "unhappy-with-service": (rated(2), rated(3)),
    "frequent-returners": (refunded(1, 180), refunded(1, 180.01)),
    "recent-unsubscribers": (
        [an_engagement("unsubscribed", ago(90))],
        [an_engagement("unsubscribed", ago(90.01))],
    ),
    "fading-loyals": (often(6, 45.01), often(6, 45.01) + complained(1)),
}
