"""The paths of the profile a rule may read, and what kind of value each holds."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from zhiyin.contracts.events import NAMESPACES
from zhiyin.facts import RFM_CLASSES, STAGES
from zhiyin.facts.prices import SENSITIVITIES
from zhiyin.facts.tiers import VALUE_TIERS
from zhiyin.rules.tree import Op


class Kind(StrEnum):
    NUMBER = "number"
    MONEY = "money"
    TIME = "time"
    TEXT = "text"
    FLAG = "flag"
    LIST = "list"
    ANY = "any"


class FactPath(Struct, frozen=True):
    """`orders.total` is root `orders`, field `total`; `categories.坚果.orders` has the name 坚果.

    `dependency`: what changes when this value may have changed by an event. `choices`: the only
    values it can have, if they are known.
    """

    root: str
    name: str
    field: str
    kind: Kind
    dependency: str
    choices: tuple[str, ...] = ()


def _fixed(path: str, kind: Kind, dependency: str, choices: tuple[str, ...] = ()) -> FactPath:
    root, _, field = path.partition(".")
    return FactPath(root, "", field, kind, dependency, choices)


# RFM by the population's fifths: changes with orders, and with the population's cut points.
QUINTILES: Final = "quintiles"
_SCORED: Final = ("rfm", "lifecycle", QUINTILES)

_FIXED: Final = {
    path: _fixed(path, kind, dependency)
    for dependency, paths in {
        "profile": {
            "profile_id": Kind.TEXT,
            "version": Kind.NUMBER,
            "created_at": Kind.TIME,
            "updated_at": Kind.TIME,
            "as_of": Kind.TIME,
            "merged_from": Kind.LIST,
        },
        "orders": {
            "orders.count": Kind.NUMBER,
            "orders.total": Kind.MONEY,
            "orders.average": Kind.MONEY,
            "orders.refunded": Kind.MONEY,
            "orders.first_at": Kind.TIME,
            "orders.last_at": Kind.TIME,
            "rfm.r": Kind.NUMBER,
            "rfm.f": Kind.NUMBER,
            "rfm.m": Kind.NUMBER,
            "lifecycle.since": Kind.TIME,
            "gifts.orders": Kind.NUMBER,
            "gifts.total": Kind.MONEY,
            "gifts.last_at": Kind.TIME,
            "price.discounted_share": Kind.NUMBER,
            "price.coupon_share": Kind.NUMBER,
            "price.discounted_orders": Kind.NUMBER,
            "price.coupon_orders": Kind.NUMBER,
            "price.discount": Kind.MONEY,
            "preferred.channel": Kind.TEXT,
            "preferred.store": Kind.TEXT,
        },
        QUINTILES: {
            "quintiles.r": Kind.NUMBER,
            "quintiles.f": Kind.NUMBER,
            "quintiles.m": Kind.NUMBER,
        },
        "hours": {"preferred.hour": Kind.NUMBER},
        "life": {
            "life.child_months": Kind.NUMBER,
            "life.child_weeks": Kind.NUMBER,
            "life.pregnancy_week": Kind.NUMBER,
            "life.due_at": Kind.TIME,
        },
        "notes": {"notes": Kind.LIST},
        "browse": {"browse.count": Kind.NUMBER, "browse.last_at": Kind.TIME},
        "support": {
            "support.open_tickets": Kind.NUMBER,
            "support.complaints": Kind.NUMBER,
            "support.open_complaints": Kind.NUMBER,
            "support.last_at": Kind.TIME,
            "support.rating": Kind.NUMBER,
        },
        "tags": {"tags": Kind.LIST},
        "segments": {"segments": Kind.LIST},
        "reorder": {"reorder": Kind.LIST},
    }.items()
    for path, kind in paths.items()
} | {
    "rfm.class": _fixed("rfm.class", Kind.TEXT, "orders", RFM_CLASSES),
    "rfm.tier": _fixed("rfm.tier", Kind.TEXT, "orders", VALUE_TIERS),
    "quintiles.class": _fixed("quintiles.class", Kind.TEXT, QUINTILES, RFM_CLASSES),
    "quintiles.tier": _fixed("quintiles.tier", Kind.TEXT, QUINTILES, VALUE_TIERS),
    "price.sensitivity": _fixed("price.sensitivity", Kind.TEXT, "orders", SENSITIVITIES),
    "lifecycle.stage": _fixed("lifecycle.stage", Kind.TEXT, "orders", STAGES),
}
# What may follow a name that the customer's data decides; the first is what the bare name means.
_NAMED: Final[dict[str, dict[str, Kind]]] = {
    "attributes": {"value": Kind.ANY, "source": Kind.TEXT, "at": Kind.TIME},
    "consents": {"granted": Kind.FLAG, "source": Kind.TEXT, "at": Kind.TIME},
    "categories": {
        "orders": Kind.NUMBER,
        "quantity": Kind.NUMBER,
        "total": Kind.MONEY,
        "last_at": Kind.TIME,
        "gifts": Kind.NUMBER,
        "interval_days": Kind.NUMBER,
    },
    "skus": {
        "orders": Kind.NUMBER,
        "quantity": Kind.NUMBER,
        "last_at": Kind.TIME,
        "interval_days": Kind.NUMBER,
    },
    "reorder": {"due_at": Kind.TIME},
    "identifiers": {"": Kind.LIST},
}
_MOST_PATH: Final = 256

_EQUALITY: Final[frozenset[Op]] = frozenset(
    {"eq", "ne", "in", "not_in", "any_of", "none_of", "all_of", "exists", "missing"}
)
ORDERING: Final[frozenset[Op]] = frozenset({"gt", "gte", "lt", "lte", "between"})
AGES: Final[frozenset[Op]] = frozenset({"older_than", "newer_than"})
_TEXTUAL: Final[frozenset[Op]] = frozenset({"contains", "starts_with"})
OPS: Final[dict[Kind, frozenset[Op]]] = {
    Kind.NUMBER: _EQUALITY | ORDERING,
    Kind.MONEY: _EQUALITY | ORDERING,
    Kind.TIME: _EQUALITY | ORDERING | AGES,
    Kind.TEXT: _EQUALITY | _TEXTUAL,
    Kind.FLAG: _EQUALITY,
    Kind.LIST: _EQUALITY | _TEXTUAL,
    Kind.ANY: _EQUALITY | ORDERING | AGES | _TEXTUAL,
}


def ops_of(path: FactPath) -> frozenset[Op]:
    """The ops that make sense for a path."""
    if path.root == "segments":
        # A rule must name the segments it reads, or a circle among segments could not be seen.
        return OPS[Kind.LIST] - {"exists", "missing", "starts_with"}
    if path.root == "as_of":
        return ORDERING
    return OPS[path.kind]


def is_scored(path: FactPath) -> bool:
    """Whether it is a score, a class or a stage: one of few values, which time moves in a way that
    is known."""
    return path.root in _SCORED and path.kind is not Kind.TIME


def fixed_paths() -> tuple[str, ...]:
    """Every path whose name no customer's data decides."""
    return tuple(_FIXED)


def locate(path: str) -> FactPath | None:
    """The fact a path names, or None when there is no such fact."""
    if path in _FIXED:
        return _FIXED[path]
    root, _, rest = path.partition(".")
    if root not in _NAMED or not rest or len(path) > _MOST_PATH:
        return None
    if root == "identifiers":
        return FactPath(root, rest, "", Kind.LIST, "identifiers") if rest in NAMESPACES else None
    return _named(root, rest)


def _named(root: str, rest: str) -> FactPath:
    """Names may hold dots (`consents.marketing.sms`), so the field is what stands last."""
    fields = _NAMED[root]
    name, _, field = rest.rpartition(".")
    if not name or field not in fields:
        name, field = rest, next(iter(fields))
    dependency = "reorder" if root in ("reorder", "skus") else f"{root}.{name}"
    return FactPath(root, name, field, fields[field], dependency)
