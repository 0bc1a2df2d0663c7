"""Operators' accounts: made, changed, erased; who they are is in the vault."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from services.gateway.calls import Records
from services.gateway.domain.door import Secret
from services.gateway.domain.identifiers import normalised
from services.gateway.domain.passwords import weakness
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.scopes import OPERATOR_ROLES
from services.gateway.domain.tokens import Tokens
from services.gateway.key_making import Brands, invalid
from services.gateway.passwords import Passwords
from services.gateway.sessions import Sessions
from services.gateway.stores.audit import Entry
from services.gateway.stores.operators import NewOperator, Operator, OperatorStore
from services.gateway.stores.vault import Vault
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem, current_trace

WHO: Final = "operator"
TOTP: Final = "operator_totp"
_ID_BYTES: Final = 9
# Some 95 bits, to be typed once.
_TEMPORARY_BYTES: Final = 12
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Email = Annotated[str, Meta(min_length=3, max_length=254)]


class OperatorSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`password` false: signs in with the identity provider alone, which must vouch for `email`.
    `brands`: sees and changes only their campaigns (absent: all)."""

    email: Email
    name: Name
    role: str
    brands: Brands | None = None
    password: bool = True


class OperatorChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. `brands` null: all of them."""

    name: Name | UnsetType = UNSET
    role: str | UnsetType = UNSET
    brands: Brands | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET


class Who(Struct, frozen=True):
    """What the vault keeps of an operator."""

    email: str
    name: str


class Made(Struct, frozen=True):
    """`password` is shown this once, and has to be changed at the first sign-in."""

    id: str
    password: str | None


class Accounts:
    def __init__(
        self,
        store: OperatorStore,
        vault: Vault,
        passwords: Passwords,
        sessions: Sessions,
        tokens: Tokens,
        audit: Records,
        clock: Clock,
    ) -> None:
        self._store = store
        self._vault = vault
        self._passwords = passwords
        self._sessions = sessions
        self._tokens = tokens
        self._audit = audit
        self._clock = clock

    def token(self, email: str) -> str:
        """What stands for an e-mail address. Raises Problem (422) for what is none."""
        found = normalised("email", email)
        if isinstance(found, Rejection):
            raise invalid("/email", found.message)
        return self._tokens.token("email", found)

    async def create(
        self,
        spec: OperatorSpec,
        actor: str,
        *,
        must_change: bool = True,
        subject: bytes | None = None,
    ) -> Made:
        """Raises Problem: 422, 409 for an address that is taken."""
        token = self.token(spec.email)
        _check(spec.role, spec.brands)
        password = secrets.token_urlsafe(_TEMPORARY_BYTES) if spec.password else None
        hashed = await self._passwords.hashed(password) if password else None
        brands = None if spec.brands is None else frozenset(spec.brands)
        new = NewOperator(
            id=f"op_{secrets.token_hex(_ID_BYTES)}", email=token, role=spec.role, brands=brands,
            password=hashed, must_change=must_change and spec.password, subject=subject,
        )  # fmt: skip
        await self._record(actor, "operators.create", new.id, _said(spec.role, brands))
        await self._keep(new.id, Who(spec.email.strip(), spec.name))
        if not await self._store.add(new, self._clock(), actor):
            await self._vault.forget([new.id], None)
            raise Problem(409, "email_taken", "there is an operator with this e-mail address")
        return Made(new.id, password)

    async def change(self, operator_id: str, change: OperatorChange, actor: str) -> None:
        """Raises Problem: 404, 422, 409 for the last admin."""
        before = await self.existing(operator_id)
        role = before.role if change.role is UNSET else change.role
        brands: frozenset[str] | None = before.brands
        if change.brands is not UNSET:
            brands = None if change.brands is None else frozenset(change.brands)
        _check(role, brands)
        active = before.active if change.active is UNSET else change.active
        detail = {**_said(role, brands), "active": str(active).lower()}
        await self._record(actor, "operators.update", operator_id, detail)
        if not await self._store.change(operator_id, role, brands, active):
            raise _last_admin()
        if change.name is not UNSET:
            who = (await self.who([operator_id]))[operator_id]
            await self._keep(operator_id, Who(who.email, change.name))
        if not active:
            await self._sessions.end_all(operator_id)

    async def erase(self, operator_id: str, actor: str) -> None:
        """Nothing is left but the id, which the audit trail names. Raises Problem: 404, 409."""
        await self.existing(operator_id)
        await self._record(actor, "operators.erase", operator_id)
        if not await self._store.erase(operator_id, self._clock()):
            raise _last_admin()
        await self._sessions.end_all(operator_id)
        await self._vault.forget([operator_id], None)

    async def reset_password(self, operator_id: str, actor: str) -> str:
        """One to be changed at the next sign-in; all sessions are over. Raises Problem (404)."""
        await self.existing(operator_id)
        await self._record(actor, "operators.reset-password", operator_id)
        password = secrets.token_urlsafe(_TEMPORARY_BYTES)
        hashed = await self._passwords.hashed(password)
        await self._store.set_password(operator_id, hashed, must_change=True)
        await self._sessions.end_all(operator_id)
        return password

    async def reset_totp(self, operator_id: str, actor: str) -> None:
        """For who has lost their telephone and their recovery codes. Raises Problem (404)."""
        await self.existing(operator_id)
        await self._record(actor, "operators.reset-totp", operator_id)
        await self._store.disenrol(operator_id)
        await self._sessions.end_all(operator_id)

    async def set_own_password(
        self, operator_id: str, new: str, session_id: str | None, actor: str
    ) -> None:
        """Other sessions than this one are over. Raises Problem (422)."""
        who = (await self.who([operator_id]))[operator_id]
        if weak := weakness(new, who.email):
            raise invalid("/new_password", weak)
        hashed = await self._passwords.hashed(new)
        await self._record(actor, "me.password", operator_id)
        await self._store.set_password(operator_id, hashed, must_change=False)
        await self._sessions.end_all(operator_id, but=session_id)
        if session_id is not None:
            self._sessions.changed(session_id)

    async def existing(self, operator_id: str) -> Operator:
        """Raises Problem (404)."""
        found = await self._store.find(operator_id)
        if found is None:
            raise Problem(404, "unknown_operator", "there is no such operator")
        return found

    async def who(self, operator_ids: Sequence[str]) -> Mapping[str, Who]:
        """E-mail and name of each; of what cannot be opened, nothing."""
        found = await self._vault.reveal(WHO, operator_ids)
        nobody = Who("", "")
        return {
            each: msgspec.json.decode(found[each], type=Who) if each in found else nobody
            for each in operator_ids
        }

    async def _keep(self, operator_id: str, who: Who) -> None:
        text = msgspec.json.encode(who).decode()
        await self._vault.put(Secret(WHO, operator_id, text))

    async def _record(
        self, actor: str, action: str, subject: str, detail: dict[str, str] | None = None
    ) -> None:
        await self._audit.record(Entry(actor, action, subject, detail or {}, current_trace.get()))


def _check(role: str, brands: Any) -> None:
    if role not in OPERATOR_ROLES:
        raise invalid("/role", f"roles are {', '.join(OPERATOR_ROLES)}")
    if role == "admin" and brands is not None:
        raise invalid("/brands", "an admin makes keys and operators, and so is for all brands")


def _said(role: str, brands: frozenset[str] | None) -> dict[str, str]:
    return {"role": role, **({"brands": ",".join(sorted(brands))} if brands is not None else {})}


def _last_admin() -> Problem:
    return Problem(409, "last_admin", "nobody would be left who is an active admin")
