"""What a key may do: scopes, and roles as named sets of them."""

from collections.abc import Iterable, Mapping
from typing import Final

EVENTS_WRITE: Final = "events:write"
PROFILES_READ: Final = "profiles:read"
PROFILES_READ_PII: Final = "profiles:read_pii"
PROFILES_WRITE: Final = "profiles:write"
PROFILES_ANNOTATE: Final = "profiles:annotate"
SEGMENTS_READ: Final = "segments:read"
SEGMENTS_WRITE: Final = "segments:write"
CAMPAIGNS_READ: Final = "campaigns:read"
CAMPAIGNS_WRITE: Final = "campaigns:write"
CAMPAIGNS_APPROVE: Final = "campaigns:approve"
COUPONS_REDEEM: Final = "coupons:redeem"
OPS_READ: Final = "ops:read"
AUDIT_READ: Final = "audit:read"
ADMIN: Final = "admin"

SCOPES: Final[Mapping[str, str]] = {
    EVENTS_WRITE: "post events",
    PROFILES_READ: "read profiles, personal values masked",
    PROFILES_READ_PII: "see phone, email and names unmasked; each such read is audited",
    PROFILES_WRITE: "merge, tag, correct and erase profiles; tag rules",
    PROFILES_ANNOTATE: "a person's tags, attributes and notes only",
    SEGMENTS_READ: "read segments and their members",
    SEGMENTS_WRITE: "define segments",
    CAMPAIGNS_READ: "read campaigns, coupons, channels, pressure",
    CAMPAIGNS_WRITE: "define campaigns, coupon templates, channels, pressure",
    CAMPAIGNS_APPROVE: "approve campaigns",
    COUPONS_REDEEM: "redeem and reverse coupons",
    OPS_READ: "see the system, dead letters, the audit trail",
    AUDIT_READ: "see the audit trail only",
    ADMIN: "all of these but profiles:read_pii; keys and operators",
}
_READ: Final = frozenset({PROFILES_READ, SEGMENTS_READ, CAMPAIGNS_READ})
# What an operator may be; a key may be any of these too.
OPERATOR_ROLES: Final[Mapping[str, frozenset[str]]] = {
    "viewer": _READ,
    "marketer": _READ | {SEGMENTS_WRITE, CAMPAIGNS_WRITE},
    "approver": _READ | {CAMPAIGNS_APPROVE},
    "service_agent": _READ | {PROFILES_READ_PII, PROFILES_ANNOTATE},
    "store_clerk": frozenset({PROFILES_READ, COUPONS_REDEEM}),
    "privacy_officer": frozenset({PROFILES_READ, PROFILES_READ_PII, PROFILES_WRITE, AUDIT_READ}),
    "admin": frozenset({ADMIN}),
}
ROLES: Final[Mapping[str, frozenset[str]]] = {
    **OPERATOR_ROLES,
    "storefront": frozenset({EVENTS_WRITE}),
    "app": frozenset({PROFILES_READ, EVENTS_WRITE}),
    "cashier": frozenset({COUPONS_REDEEM, CAMPAIGNS_READ}),
    "analyst": frozenset({PROFILES_READ, SEGMENTS_READ, CAMPAIGNS_READ}),
    "operator": frozenset(
        {PROFILES_READ, PROFILES_WRITE, SEGMENTS_READ, SEGMENTS_WRITE, CAMPAIGNS_READ}
        | {CAMPAIGNS_WRITE, COUPONS_REDEEM, OPS_READ}
    ),
    "support": frozenset({PROFILES_READ, PROFILES_READ_PII, PROFILES_WRITE, CAMPAIGNS_READ}),
}


def unknown_scopes(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names) - set(SCOPES)))


def permits(held: frozenset[str], needed: str) -> bool:
    """Whether these scopes allow what `needed` names. To see personal values in clear is never
    implied: whoever may, was given exactly that."""
    return needed in held or (ADMIN in held and needed != PROFILES_READ_PII)
