"""One message of every kind with every field set to something that is not its default."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw, Struct

from tests.builders import START, a_purchase, an_event
from tests.people import facts_of
from zhiyin.contracts import topics
from zhiyin.contracts.actions import ActionDecided, decode_action_decided
from zhiyin.contracts.buying import (
    Buying,
    GiftTotals,
    Habit,
    OrderTotals,
    PriceTotals,
    Settled,
    SkuTotals,
)
from zhiyin.contracts.events import Event, decode_event, encode_event
from zhiyin.contracts.instants import DAY, moment
from zhiyin.contracts.not_linking import NotLinking
from zhiyin.contracts.profiles import (
    Cause,
    DayCounts,
    Note,
    PastTickets,
    ProfileChanged,
    Snapshot,
    Tag,
    decode_profile_changed,
    decode_snapshot,
    encode,
)
from zhiyin.contracts.segments import SegmentChanged, decode_segment_changed


class Example(NamedTuple):
    """`name`: folder (the topic, or `stored`) and message, as its samples are filed."""

    name: str
    message: Struct
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Struct]
    suffix: str


_ITEM = {
    "sku": "EJ-250",
    "name": "阿胶糕 250g",
    "category": "阿胶糕",
    "quantity": 2,
    "unit_price": "129.50",
    "pack_days": 30,
    "list_price": "149.50",
}
_BASKET = {"sku": "EJ-250", "category": "阿胶糕", "quantity": 2, "unit_price": "129.50"}
_OPINION = {"text": "好吃", "sku": "EJ-250", "score": 4.5}
_ENGAGED = {"action_id": "A-1", "channel": "sms"}
PROPERTIES: dict[str, dict[str, Any]] = {
    "purchase.completed": {
        "order_id": "O-1",
        "total": "259.00",
        "currency": "CNY",
        "channel": "online",
        "store_id": "S-1",
        "gift": True,
        "coupon_codes": ["C-1"],
        "items": [_ITEM],
        "discount": "20.00",
        "gift_message": "生日快乐",
        "delivery": {"to": "other", "relation": "母亲", "wish": "放前台"},
    },
    "purchase.refunded": {
        "order_id": "O-1",
        "refund_id": "R-1",
        "amount": 59.5,
        "items": [_ITEM],
    },
    "purchase.cancelled": {"order_id": "O-1"},
    "browse.viewed": {
        "kind": "category",
        "sku": "EJ-250",
        "category": "阿胶糕",
        "title": "冬日滋补",
        "dwell_seconds": 12.5,
    },
    "browse.searched": {"query": "瑜伽垫"},
    "browse.carted": _BASKET,
    "browse.uncarted": _BASKET,
    "browse.favorited": {"sku": "EJ-250", "category": "阿胶糕"},
    "browse.visited_store": {"store_id": "S-1"},
    "support.opened": {
        "ticket_id": "T-1",
        "kind": "complaint",
        "channel": "wecom",
        "subject": "破损",
        "text": "盒子破了",
    },
    "support.messaged": {"ticket_id": "T-1", "text": "已补发", "author": "agent"},
    "support.resolved": {"ticket_id": "T-1"},
    "support.rated": {"ticket_id": "T-1", "score": 5},
    "community.shared": _OPINION,
    "community.reviewed": _OPINION,
    "community.checked_in": _OPINION,
    "community.asked": _OPINION,
    "customer.updated": {
        "attributes": {"city": "杭州", "age": 35, "tastes": ["甜", "辣"], "gone": None},
        "consents": {"marketing.sms": True},
        "tags": {"vip": True, "guest": False, "trial": "2027-01-01T00:00:00+08:00"},
    },
    "customer.linked": {
        "keep": "p-1",
        "absorb": "p-2",
        "between": [["p-1"], ["p-2"]],
        "parted": True,
        "actor": "lee",
        "withdrawn": ["marketing.sms"],
    },
    "customer.unlinked": {"identifiers": ["phone:tok_1"], "actor": "lee"},
    "customer.tagged": {"tag": "vip", "until": "2026-12-31T00:00:00Z", "actor": "lee"},
    "customer.noted": {
        "note_id": "N-1",
        "text": "不吃香菜",
        "kind": "taste_taboo",
        "lasting": False,
        "author": "小林",
    },
    "customer.unnoted": {"note_id": "N-1", "author": "小林"},
    "customer.untagged": {"tag": "vip", "actor": "lee"},
    "customer.erased": {"erasure_id": "E-1", "actor": "lee"},
    "engagement.delivered": _ENGAGED,
    "engagement.opened": _ENGAGED,
    "engagement.clicked": {**_ENGAGED, "url": "https://shop.example/nuts"},
    "engagement.bounced": {
        **_ENGAGED,
        "hard": True,
        "address": "email:tok_2",
        "reason": "no such mailbox",
    },
    "engagement.unsubscribed": _ENGAGED,
    "custom.pairing": {"with": ["茶", 2, None, {"deep": True}]},
}


def _event(kind: str) -> Event:
    plain = an_event(
        kind,
        START,
        customer={"member_id": "M1001", "phone": "tok_1"},
        source="tmall-flagship",
        event_id=f"{kind}-1",
        imported=True,
    )
    return msgspec.structs.replace(
        plain,
        properties=Raw(msgspec.json.encode(PROPERTIES[kind])),
        received_at=moment(START) + timedelta(milliseconds=250),
        stated_at=moment(START) + timedelta(seconds=5),
        masks={"phone": "138****1111"},
    )


def _snapshot() -> Snapshot:
    events = [a_purchase(START, total="259.00", items=[_ITEM], order_id="O-9")]
    # Nothing is left of who was erased.
    apart = {"purchase.completed", "customer.erased"}
    events += [_event(kind) for kind in PROPERTIES if kind not in apart]
    facts = msgspec.structs.replace(
        facts_of(events),
        days={"browse.viewed": {"阿胶糕": DayCounts(20400, (3,), (2,), (START - 40 * DAY,))}},
        hours=tuple(range(168)),
        activity={"sms": {"opened": 2}},
        pruned=START - 400 * DAY,
        gifts=GiftTotals(1, 10_00, START),
        prices=PriceTotals(1, 2, 30_00, 5_00),
        channels={"pos": Habit(2, START)},
        stores={"S-1": Habit(1, START)},
        settled=Settled(
            (START, "e-0", "shop"),
            Buying(OrderTotals(1, 5_00, 0, START, START)),
            {"茶": None},
            {"TEA": SkuTotals("茶", 1, 1, START, 1)},
            ((START, 5_00),),
            ((20000, 2, 9_00),),
        ),
        tickets_past=PastTickets(3, 2, 1, 1, 9, 2),
        forgotten={"purchase": (START, "e-0", "shop")},
        remembered={"purchase": b"abcd"},
        notes={"N-1": Note("taste_taboo", "不吃香菜", True, "小林", "crm", START, "e-n")},
        bounced={"email:tok_2": START},
    )
    tag = Tag(START, START + DAY, "rule:fan", 3, ("e-1",), "盒子破了")
    note = NotLinking("parted", START, "137****3333")
    return Snapshot(
        "p-1", 7, START - DAY, START, facts, {"fan": tag}, ("p-2",), {"phone:tok_3": note}
    )


def _cause() -> Cause:
    packed = Raw(msgspec.msgpack.encode({"order_id": "O-1"}, order="deterministic"))
    return Cause("e-1", "purchase.cancelled", "shop", START, START + 1, True, packed, "00-ab-cd-01")


def _changed() -> ProfileChanged:
    return ProfileChanged(
        message_id="m-1",
        at=START + 2,
        snapshot=_snapshot(),
        changed=("categories.阿胶糕", "orders"),
        tags_added=("fan",),
        tags_removed=("new",),
        cause=(_cause(),),
        merged_into="p-9",
        erased=True,
        parted_from={"p-8": 6},
    )


def _segment() -> SegmentChanged:
    return SegmentChanged(
        message_id="m-2",
        profile_id="p-1",
        segment="dormant-90d",
        change="entered",
        at=START,
        decided_at=START + 1,
        cause="time",
        rule_version=2,
        profile_version=7,
        event_ids=("e-1",),
        imported=True,
        received_at=START - 1,
        asked=True,
    )


def _action() -> ActionDecided:
    return ActionDecided(
        action_id="a-1",
        profile_id="p-1",
        campaign="win-back-90d",
        campaign_version=3,
        occurrence="2026-03-01",
        step="0",
        kind="coupon",
        channel="sms",
        purpose="marketing",
        why="segment.entered dormant-90d",
        at=START,
        data=Raw(msgspec.msgpack.encode({"template": "back-30"})),
    )


def examples() -> list[Example]:
    events = [
        Example(f"{topics.topic_of(kind)}/{kind}", _event(kind), encode_event, decode_event, "json")
        for kind in PROPERTIES
    ]
    packed: list[tuple[str, Struct, Callable[[bytes], Struct]]] = [
        (f"{topics.PROFILE_CHANGED}/ProfileChanged", _changed(), decode_profile_changed),
        (f"{topics.SEGMENT_CHANGED}/SegmentChanged", _segment(), decode_segment_changed),
        (f"{topics.ACTION_DECIDED}/ActionDecided", _action(), decode_action_decided),
        ("stored/Snapshot", _snapshot(), decode_snapshot),
    ]
    return events + [Example(name, msg, encode, dec, "msgpack") for name, msg, dec in packed]
