"""After browsing: looked at, put into the cart, saved, seen in a store, and not bought."""

from typing import Final

from services.engagement.domain.playbooks.ready import (
    BOUGHT,
    Playbook,
    both,
    goal,
    money_off,
    say,
    unless_bought,
)

_CART: Final = money_off("cart-10", 10, 79, "购物车礼 10 元", "3d")
_STORE: Final = money_off("store-15", 15, 99, "到店礼 15 元", "7d")

PLAYBOOKS: Final = (
    Playbook(
        key="abandoned-browse",
        group="browsing",
        name=("浏览未购", "Browsed, did not buy"),
        about=(
            "一周内同类商品看了三次以上、当天没有下单：提醒一次。",
            "Three views or more within a week and no order that day: one reminder.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "browse.viewed", "where": {"kind": "product"}},
            "where": {
                "count": {"event": "browse.viewed", "within": "7d"}, "op": "gte", "value": 3,
            },
            "reentry": "P7D",
            "priority": 35,
            "steps": [unless_bought("8h", say("abandoned-browse"))],
            "goal": goal("3d"),
        },
        texts={
            "abandoned-browse": both(
                "您看过的好物还在",
                "您看过的{{ trigger.title | default: '商品' }}还有货。有疑问？直接回复。",
                "What you looked at is still here",
                "{{ trigger.title | default: 'what you looked at' }} is in stock. Any question? "
                "Just reply.",
            )
        },
    ),
    Playbook(
        key="abandoned-cart",
        group="browsing",
        name=("购物车未结算", "Abandoned cart"),
        about=(
            "加购一小时未下单提醒，一天后仍未下单再送券。",
            "A reminder an hour after adding to the cart, a coupon the day after.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "browse.carted"},
            "reentry": "P3D",
            "priority": 65,
            "exit_on": BOUGHT,
            "steps": [
                {"wait": "1h"},
                say("abandoned-cart"),
                {"wait": "1d"},
                {"coupon": "cart-10"},
                say("abandoned-cart-2"),
            ],
            "goal": goal("3d"),
        },
        texts={
            "abandoned-cart": both(
                "购物车里的好物等您带走",
                "您加入购物车的商品还没有结算，现在下单，最快当天发货。",
                "Your cart is waiting",
                "what you put into your cart is still there. Order now and it ships today.",
            ),
            "abandoned-cart-2": both(
                "为您的购物车备了一张券",
                "为您的购物车备了一张券：%coupon%，三天内有效。",
                "A coupon for your cart",
                "here is a coupon for your cart: %coupon%, good for three days.",
            ),
        },
        coupons=(_CART,),
    ),
    Playbook(
        key="store-visit",
        group="browsing",
        name=("到店未购", "Visited a store, did not buy"),
        about=(
            "到店一天内没有下单：送一张线上线下通用的券。",
            "No order within a day of a visit: a coupon for store and shop alike.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "browse.visited_store"},
            "reentry": "P14D",
            "steps": [unless_bought("1d", {"coupon": "store-15"}, say("store-visit"))],
            "goal": goal("7d"),
        },
        texts={
            "store-visit": both(
                "谢谢您到店",
                "谢谢您昨天到店。送您一张线上线下通用的券：%coupon%，七天内有效。",
                "Thank you for your visit",
                "thank you for visiting us. A coupon for store and shop: %coupon%, for a week.",
            )
        },
        coupons=(_STORE,),
        tells=("browse.visited_store",),
    ),
    Playbook(
        key="saved-item-low",
        group="browsing",
        name=("收藏将售罄", "Saved item low in stock"),
        about=(
            "收藏的商品库存告急（POST /v1/stock-alerts）：告诉收藏它、还没有买的人。",
            "A saved item runs low (POST /v1/stock-alerts): told to who saved, not bought it.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "custom.saved_item_low"},
            "reentry": "P3D",
            "priority": 60,
            "steps": [say("saved-item-low")],
            "goal": goal("3d"),
        },
        texts={
            "saved-item-low": both(
                "您收藏的商品快没有了",
                "您收藏的 {{ trigger.sku }} 只剩 {{ trigger.left }} 件。",
                "Your saved item is almost gone",
                "only {{ trigger.left }} of {{ trigger.sku }}, which you saved, are left.",
            )
        },
        tells=("custom.saved_item_low",),
    ),
)  # fmt: skip
