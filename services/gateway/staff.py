"""Operators' accounts and sessions: each part wired to what it needs."""

import httpx

from services.gateway.accounts import Accounts
from services.gateway.domain.sessions import AccessTokens
from services.gateway.domain.tokens import Tokens
from services.gateway.fresh import Fresh
from services.gateway.keyring import Keyring
from services.gateway.last_used import LastUsed
from services.gateway.oidc import Provider
from services.gateway.passwords import Passwords
from services.gateway.second_factor import SecondFactor
from services.gateway.sessions import Sessions
from services.gateway.settings import GatewaySettings
from services.gateway.signing_in import SigningIn
from services.gateway.signing_in_elsewhere import SigningInElsewhere
from services.gateway.stores.attempts import AttemptStore
from services.gateway.stores.audit import AuditTrail
from services.gateway.stores.operators import OperatorStore
from services.gateway.stores.sessions import SessionStore
from services.gateway.stores.vault import Vault
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database


class Staff:
    """`known`: sessions looked up lately; `used` writes down when they were last used."""

    def __init__(
        self,
        settings: GatewaySettings,
        keyring: Keyring,
        database: Database,
        vault: Vault,
        audit: AuditTrail,
        client: httpx.AsyncClient,
        clock: Clock,
    ) -> None:
        self.lasting = settings.lasting
        self.totp_required = settings.totp_required
        self.tokens = AccessTokens(keyring.sessions)
        self.session_store = SessionStore(database, self.lasting)
        self.known = Fresh(self.session_store.find)
        self.used = LastUsed(self.session_store.seen, clock)
        self.sessions = Sessions(
            self.session_store,
            self.tokens,
            self.lasting,
            clock,
            self.known.forget,
            totp_required=self.totp_required,
        )
        self.operators = OperatorStore(database)
        passwords = Passwords()
        self.accounts = Accounts(
            self.operators,
            vault,
            passwords,
            self.sessions,
            Tokens(keyring.operators),
            audit,
            clock,
        )
        self.second_factor = SecondFactor(self.operators, vault, clock)
        self.attempts = AttemptStore(database)
        self.signing_in = SigningIn(
            self.accounts,
            self.operators,
            self.attempts,
            passwords,
            self.second_factor,
            self.sessions,
            audit,
            keyring.operators,
            clock,
        )
        oidc = settings.oidc
        self.provider = None if oidc is None else Provider(oidc, client, clock)
        self.signing_in_elsewhere = SigningInElsewhere(
            self.accounts, self.operators, self.signing_in, {} if oidc is None else oidc.roles
        )
        self.flow_key = keyring.flows
