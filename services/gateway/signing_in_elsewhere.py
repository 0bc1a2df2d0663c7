"""Signing in with an identity provider: whom it names becomes, or is, an operator."""

from collections.abc import Mapping
from typing import Final

from services.gateway.accounts import Accounts, OperatorChange, OperatorSpec
from services.gateway.domain.identity import Identity, role_for
from services.gateway.sessions import Opened
from services.gateway.signing_in import SigningIn
from services.gateway.stores.operators import Operator, OperatorStore
from zhiyin.runtime.problems import Problem

_ACTOR: Final = "identity-provider"


class SigningInElsewhere:
    """`roles` by group."""

    def __init__(
        self,
        accounts: Accounts,
        store: OperatorStore,
        signing_in: SigningIn,
        roles: Mapping[str, str],
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._signing_in = signing_in
        self._roles = roles

    async def sign_in(self, identity: Identity, network: str) -> Opened:
        """Raises Problem (403): nobody here, and in no group that makes them somebody."""
        role = role_for(identity.groups, self._roles)
        operator = await self._found(identity)
        if operator is None:
            operator = await self._made(identity, role)
        elif not operator.active:
            raise Problem(403, "deactivated", "your account is not active")
        elif role is None and operator.created_by == _ACTOR:
            raise _no_role()
        elif role is not None and role != operator.role:
            brands = None if role == "admin" or operator.brands is None else sorted(operator.brands)
            change = OperatorChange(role=role, brands=brands)
            await self._accounts.change(operator.id, change, _ACTOR)
        return await self._signing_in.opened(operator, "oidc", network)

    async def _found(self, identity: Identity) -> Operator | None:
        """Who came with this identity before, or whose address the provider vouches for."""
        known = await self._store.by_subject(identity.subject)
        if known is not None or identity.email is None:
            return known
        expected = await self._store.by_email(self._accounts.token(identity.email))
        if expected is None:
            return None
        if not await self._store.bind(expected.id, identity.subject):
            raise Problem(403, "somebody_elses", "that address belongs to another identity here")
        return expected

    async def _made(self, identity: Identity, role: str | None) -> Operator:
        if role is None:
            raise _no_role()
        if identity.email is None:
            message = "the identity provider does not vouch for an e-mail address of yours"
            raise Problem(403, "email_not_verified", message)
        spec = OperatorSpec(identity.email, identity.name, role, password=False)
        made = await self._accounts.create(spec, _ACTOR, subject=identity.subject)
        return await self._accounts.existing(made.id)


def _no_role() -> Problem:
    return Problem(403, "no_role", "you are in no group that has a role here")
