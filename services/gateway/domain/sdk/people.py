"""Whom a message is about: userId, anonymousId and traits as our identifiers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from services.gateway.domain.identifiers import normalised
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.sdk.messages import Message, table, text
from zhiyin.contracts.events import NAMESPACES

_PERSONAL_TRAITS: Final = {
    "phone": "phone",
    "mobile": "phone",
    "email": "email",
    "unionid": "unionid",
    "unionId": "unionid",
    "openid": "openid",
    "openId": "openid",
    "alipay_id": "alipay_id",
    "alipayId": "alipay_id",
}
TRAITS_OF_IDENTITY: Final = frozenset(_PERSONAL_TRAITS)
_MOBILE: Final = re.compile(r"\+[1-9]\d{7,14}|(?:86)?1[3-9]\d{9}", re.ASCII)


class Who(NamedTuple):
    """Identifiers that can be used; `left_out`: why others that were sent can not."""

    customer: Mapping[str, str]
    left_out: tuple[Rejection, ...]


def who(message: Message, traits: Mapping[str, Any], region: str) -> Who:
    """The person of a message with these traits of theirs."""
    return _usable(_stated(message, traits), region)


def linked(message: Message, region: str) -> Who:
    """Those whom an alias says to be one. Segment's for browsers, sending it again, names the
    person themselves as who they were before."""
    stated = [("/userId", *_named(message.user_id, "member_id"))]
    if message.previous_id != message.user_id:
        stated.append(("/previousId", *_named(message.previous_id, "anonymous_id")))
    stated.append(("/anonymousId", *_named(message.anonymous_id, "anonymous_id")))
    return _usable(stated, region)


def _stated(message: Message, traits: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(where it stood, namespace, value), strongest first."""
    context = table(message.context)
    yield "/userId", *_named(message.user_id, "member_id")
    yield "/anonymousId", *_named(message.anonymous_id, "anonymous_id")
    for name, namespace in _PERSONAL_TRAITS.items():
        yield f"/traits/{name}", namespace, traits.get(name)
    for name in ("externalId", "externalIds"):
        listed = context.get(name)
        for index, each in enumerate(listed if isinstance(listed, list) else ()):
            found = table(each)
            if found.get("type") in NAMESPACES:
                yield f"/context/{name}/{index}/id", found["type"], found.get("id")
    yield "/context/device/id", "device_id", table(context.get("device")).get("id")


def _named(value: Any, namespace: str) -> tuple[str, Any]:
    """What shops call their members by is often a phone number or an email address. Those are
    kept nowhere in clear, so they have to go by their own name."""
    found = text(value)
    if found is None:
        return namespace, value
    if "@" in found:
        return "email", found
    return ("phone" if _MOBILE.fullmatch(found) else namespace), found


def _usable(stated: Iterable[tuple[str, str, Any]], region: str) -> Who:
    customer: dict[str, str] = {}
    left_out = []
    for where, namespace, value in stated:
        if value is None or value == "":
            continue
        found = normalised(namespace, text(value), region)
        if isinstance(found, Rejection):
            left_out.append(found._replace(pointer=where))
        else:
            customer.setdefault(namespace, found)
    return Who(customer, tuple(left_out))
