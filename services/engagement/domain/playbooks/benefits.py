"""Coupons and points about to expire, and a tier reached."""

from typing import Final

from services.engagement.domain.playbooks.ready import (
    BOUGHT,
    Playbook,
    both,
    goal,
    say,
)

PLAYBOOKS: Final = (
    Playbook(
        key="coupon-expiring",
        group="coupons",
        name=("券将到期", "Coupon about to expire"),
        about=(
            "券到期前（模板的 remind）还没用：提醒一次。",
            "Before an unused coupon expires (the template's remind): one reminder.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "custom.coupon_expiring"},
            "priority": 62,
            "exit_on": BOUGHT,
            "steps": [say("coupon-expiring")],
            "goal": goal("3d"),
        },
        texts={
            "coupon-expiring": both(
                "您的券快到期了", "您的券 {{ trigger.code }} 还没有用，快到期了，别浪费。",
                "Your coupon is about to expire",
                "your coupon {{ trigger.code }} is unused and about to expire.",
            )
        },
    ),
    Playbook(
        key="points-expiring",
        group="coupons",
        name=("积分将到期", "Points about to expire"),
        about=(
            "积分到期前提醒（custom.points_expiring {points, expires_at}）。",
            "Before points expire (custom.points_expiring {points, expires_at}).",
        ),
        campaign={
            "trigger": {"on": "event", "type": "custom.points_expiring"},
            "reentry": "P14D",
            "steps": [say("points-expiring")],
            "goal": goal("14d"),
        },
        texts={
            "points-expiring": both(
                "积分快到期了", "您有 {{ trigger.points }} 积分即将到期，可换礼品或抵现。",
                "Points about to expire", "{{ trigger.points }} points are about to expire.",
            )
        },
        tells=("custom.points_expiring",),
    ),
    Playbook(
        key="tier-upgraded",
        group="tiers",
        name=("升级祝贺", "A tier up"),
        about=(
            "会员升级（custom.tier_upgraded {tier}）：祝贺并说明权益。",
            "On a higher tier (custom.tier_upgraded {tier}): congratulations and benefits.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "custom.tier_upgraded"},
            "priority": 65,
            "holdout": 0,
            "steps": [say("tier-upgraded")],
        },
        texts={
            "tier-upgraded": both(
                "恭喜升级", "恭喜您升级为 {{ trigger.tier }} 会员，新权益已生效。",
                "Congratulations", "you are now a {{ trigger.tier }} member; your benefits are on.",
            )
        },
        tells=("custom.tier_upgraded",),
    ),
)  # fmt: skip
