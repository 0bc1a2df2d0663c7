"""Making a key, and putting another in its place. A key's text exists nowhere but in the answer."""

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Final

from msgspec import Meta, Struct

from services.gateway.calls import Records
from services.gateway.domain.apikeys import RANDOM_BYTES, NewKey, new_key
from services.gateway.domain.scopes import ADMIN, ROLES, SCOPES, unknown_scopes
from services.gateway.stores.audit import Entry
from services.gateway.stores.keys import KeyStore, StoredKey
from zhiyin.contracts.campaigns import Brand
from zhiyin.contracts.instants import DAY, Duration, duration
from zhiyin.runtime.problems import FieldError, Problem, current_trace

_LONGEST_OVERLAP: Final[Duration] = 30 * DAY
Brands = Annotated[list[Brand], Meta(min_length=1, max_length=100)]


class KeySpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`scopes` and those of `role` together; at least one in all. `brands`: only their campaigns
    (absent: all)."""

    scopes: list[str] = []
    role: str | None = None
    name: Annotated[str, Meta(max_length=200)] = ""
    expires_at: datetime | None = None
    brands: Brands | None = None


class RotateSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`overlap`: how long the old key works beside the new one, up to 30 days (`PT0S`: it stops
    now). Without `expires_at` the new one lives as long as the old one was to live."""

    overlap: Annotated[str, Meta(min_length=2, max_length=32)] = "24h"
    expires_at: datetime | None = None


class MadeKey(Struct, frozen=True):
    """`key` is shown this once. `replaces`: the key it took over from, which works until
    `replaced_until`."""

    id: str
    key: str
    scopes: list[str]
    name: str = ""
    role: str | None = None
    expires_at: datetime | None = None
    brands: list[str] | None = None
    replaces: str | None = None
    replaced_until: datetime | None = None


async def make_key(
    keys: KeyStore, audit: Records, spec: KeySpec, actor: str, now: datetime
) -> MadeKey:
    """Make a key, put that on record and store it. Raises Problem (422) for scopes that do not
    exist and for a time that has passed."""
    _check_expiry(spec.expires_at, now)
    scopes = checked_scopes(spec)
    new = _drawn()
    brands = None if spec.brands is None else frozenset(spec.brands)
    detail = {"scopes": ",".join(sorted(scopes)), "name": spec.name}
    if brands is not None:
        detail["brands"] = ",".join(sorted(brands))
    await audit.record(Entry(actor, "keys.create", new.id, detail, current_trace.get()))
    stored = StoredKey(
        new.id, new.digest, spec.name, spec.role, scopes, actor, now, spec.expires_at, brands=brands
    )
    await keys.add(stored)
    return _made(new, stored)


async def rotate_key(
    keys: KeyStore, audit: Records, key_id: str, spec: RotateSpec, actor: str, now: datetime
) -> MadeKey:
    """Another key with the same rights; the old one works for the overlap. Raises Problem: 404,
    409 for one that is of no use any more, 422."""
    overlap = _overlap(spec.overlap)
    _check_expiry(spec.expires_at, now)
    old = await keys.find(key_id)
    if old is None:
        raise Problem(404, "unknown_key", "there is no such key")
    expires_at = spec.expires_at
    if expires_at is None and old.expires_at is not None:
        expires_at = now + (old.expires_at - old.created_at)
    new = _drawn()
    stored = StoredKey(
        new.id, new.digest, old.name, old.role, old.scopes, actor, now, expires_at,
        brands=old.brands,
    )  # fmt: skip
    detail = {"new_key": new.id, "overlap": spec.overlap}
    await audit.record(Entry(actor, "keys.rotate", key_id, detail, current_trace.get()))
    until = now + overlap
    if not await keys.replace(key_id, stored, until, now):
        raise Problem(409, "not_in_use", "this key was rotated or revoked, or has expired")
    if old.expires_at is not None:
        until = min(until, old.expires_at)
    return _made(new, stored, replaces=key_id, until=until)


def checked_scopes(spec: KeySpec) -> frozenset[str]:
    """All scopes of a spec. Raises Problem (422) when there are none or unknown ones."""
    if spec.role is not None and spec.role not in ROLES:
        raise invalid("/role", f"roles are {', '.join(ROLES)}")
    if unknown := unknown_scopes(spec.scopes):
        known = ", ".join(SCOPES)
        raise invalid("/scopes", f"unknown scope {', '.join(unknown)}; scopes are {known}")
    scopes = frozenset(spec.scopes) | (ROLES[spec.role] if spec.role else frozenset())
    if not scopes:
        raise invalid("/scopes", "a key needs at least one scope, or a role")
    if ADMIN in scopes and spec.brands is not None:
        raise invalid("/brands", "admin makes keys and operators, and so is for all brands")
    return scopes


def invalid(pointer: str, message: str) -> Problem:
    return Problem(422, "invalid", message, errors=[FieldError(pointer, "invalid", message)])


def _check_expiry(at: datetime | None, now: datetime) -> None:
    if at is not None and (at.tzinfo is None or at <= now):
        raise invalid("/expires_at", "a time in the future, with its offset")


def _overlap(text: str) -> timedelta:
    try:
        overlap = duration(text)
    except ValueError as error:
        raise invalid("/overlap", str(error)) from error
    if overlap > _LONGEST_OVERLAP:
        raise invalid("/overlap", "at most 30 days")
    return timedelta(microseconds=overlap)


def _drawn() -> NewKey:
    return new_key(secrets.token_bytes(RANDOM_BYTES))


def _made(
    new: NewKey, key: StoredKey, replaces: str | None = None, until: datetime | None = None
) -> MadeKey:
    brands = None if key.brands is None else sorted(key.brands)
    scopes = sorted(key.scopes)
    return MadeKey(
        new.id, new.text, scopes, key.name, key.role, key.expires_at, brands, replaces, until
    )
