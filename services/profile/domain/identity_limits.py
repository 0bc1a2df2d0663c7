"""How many identifiers a person may have, and by how many people one may be used, per namespace."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from zhiyin.contracts.events import NAMESPACES


class Limit(Struct, frozen=True):
    """`each`: how many of the namespace one person may have; further ones do not link.
    `members`: with how many member ids one of them may be seen; beyond, it is shared and links
    nobody. `roams`: once shared it is nobody's (a tablet in a shop), rather than still that of
    whom it was first (a family's phone)."""

    each: int
    members: int = 1
    roams: bool = False


Limits = Mapping[str, Limit]
# A member id is decisive: two of them are one person only if an operator says so.
DEFAULT_LIMITS: Final[Limits] = {
    "member_id": Limit(1),
    "unionid": Limit(3),
    "openid": Limit(20),
    "phone": Limit(10),
    "email": Limit(10),
    "alipay_id": Limit(5),
    "device_id": Limit(50, roams=True),
    "anonymous_id": Limit(200, roams=True),
}
_MOST: Final = 10_000


class LimitsError(ValueError):
    """A text that states no limits; its message says what is wrong."""


def limits_in(text: str) -> Limits:
    """The default limits, changed by `namespace=EACH/MEMBERS,…`, such as `device_id=20/3,phone=5`.
    Raises LimitsError."""
    found = dict(DEFAULT_LIMITS)
    for part in filter(None, (part.strip() for part in text.split(","))):
        namespace, _, stated = part.partition("=")
        if namespace not in NAMESPACES or namespace == "member_id":
            raise LimitsError(f"{namespace!r} has no limit to be set")
        each, _, members = stated.partition("/")
        old = found[namespace]
        allowed = _whole(members, part) if members else old.members
        found[namespace] = Limit(_whole(each, part), allowed, old.roams)
    return found


def _whole(text: str, part: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST):
        raise LimitsError(f"{part!r} is not namespace=EACH/MEMBERS, each from 1 to {_MOST}")
    return int(text)
