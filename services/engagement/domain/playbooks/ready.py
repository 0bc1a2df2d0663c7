"""What a ready campaign is made of, and short ways to write one down."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from zhiyin.contracts.campaigns import CampaignSpec, CouponTemplateSpec, MessageTemplateSpec
from zhiyin.contracts.channels import TemplateVariant
from zhiyin.contracts.surveys import SurveySpec

Group = Literal["orders", "browsing", "days", "coupons", "care", "new", "win-back", "tiers"]
BOUGHT: Final = {"event": "purchase.completed"}
_DEAR: Final = "{{ profile.attributes.name.value | default: '亲爱的顾客' }}"
_DEAR_EN: Final = "Dear {{ profile.attributes.name.value | default: 'customer' }}"
_CODE: Final = "满 {{ coupon.minimum | default: 0 }} 减 {{ coupon.value }}，券码 {{ coupon.code }}"
_CODE_EN: Final = (
    "{{ coupon.value }} off from {{ coupon.minimum | default: 0 }}, code {{ coupon.code }}"
)


class Text(Struct, frozen=True):
    """Subject and body in one language, without the greeting; `%coupon%` stands for the coupon."""

    subject: str
    body: str


class Playbook(Struct, frozen=True):
    """`campaign`: its steps and trigger as they are posted; `texts`: template → (zh, en); `tells`:
    event types beyond the usual that a shop has to send for it."""

    key: str
    group: Group
    name: tuple[str, str]
    about: tuple[str, str]
    campaign: Mapping[str, Any]
    texts: Mapping[str, tuple[Text, Text]]
    coupons: tuple[CouponTemplateSpec, ...] = ()
    tells: tuple[str, ...] = ()
    surveys: Mapping[str, SurveySpec] = {}

    @property
    def spec(self) -> CampaignSpec:
        named = {"key": self.key, "name": self.name[0], "description": self.about[0]}
        return msgspec.convert({**named, **self.campaign}, CampaignSpec)

    @property
    def templates(self) -> dict[str, MessageTemplateSpec]:
        return {key: _template(self.name[0], zh, en) for key, (zh, en) in self.texts.items()}


def _template(name: str, zh: Text, en: Text) -> MessageTemplateSpec:
    english = TemplateVariant(
        language="en",
        subject=en.subject,
        body=f"{_DEAR_EN}, {en.body.replace('%coupon%', _CODE_EN)}",
    )
    return MessageTemplateSpec(
        name=name,
        subject=zh.subject,
        body=f"{_DEAR}，{zh.body.replace('%coupon%', _CODE)}",
        variants=[english],
    )


def both(subject: str, body: str, subject_en: str, body_en: str) -> tuple[Text, Text]:
    return Text(subject, body), Text(subject_en, body_en)


def money_off(key: str, value: int, minimum: int, name: str, valid: str) -> CouponTemplateSpec:
    return CouponTemplateSpec(
        key=key, kind="amount", value=f"{value}.00", name=name, minimum=Decimal(minimum),
        per_person=6, valid=valid,
    )  # fmt: skip


def say(template: str) -> dict[str, Any]:
    return {"message": {"template": template}}


def goal(within: str, **where: Any) -> dict[str, Any]:
    return {**BOUGHT, "within": within, **({"where": where} if where else {})}


def unless_bought(timeout: str, *steps: dict[str, Any], **where: Any) -> dict[str, Any]:
    """A wait for an order; the steps follow when none comes."""
    wanted = {**BOUGHT, **({"where": where} if where else {})}
    return {"wait_for": wanted, "timeout": timeout, "else": list(steps)}


def task(title: str, note: str, due: str = "24h") -> dict[str, Any]:
    return {"task": {"title": title, "note": note, "team": "stores", "due": due}}
