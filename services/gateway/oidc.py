"""An OpenID Connect provider: code flow with PKCE (S256), state and nonce; ID tokens verified."""

import secrets
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote_plus

import httpx
import msgspec
import structlog
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from services.gateway.domain.identity import Identity, identity_of
from services.gateway.oidc_settings import OidcSettings
from zhiyin.contracts.instants import HOUR, SECOND, Duration, Instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_KNOWN_FOR: Final[Duration] = HOUR
_ASK_AGAIN: Final[Duration] = 5 * SECOND
_LEEWAY_SECONDS: Final = 60
# None of them lets a public key be taken for a shared secret, or goes without a signature.
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
_SCOPE: Final = "openid email profile"


class Flow(Struct, frozen=True):
    """What a browser keeps, sealed, until it comes back."""

    state: str
    nonce: str
    verifier: str
    return_to: str


class Metadata(Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(Struct, frozen=True):
    id_token: str
    access_token: str = ""


class Provider:
    """`client` follows no redirects."""

    def __init__(self, settings: OidcSettings, client: httpx.AsyncClient, clock: Clock) -> None:
        self._settings = settings
        self._client = client
        self._clock = clock
        self._metadata: tuple[Metadata, Instant] | None = None
        self._keys: tuple[KeySet, Instant] | None = None

    async def begin(self, return_to: str) -> tuple[str, Flow]:
        """Where to send the browser, and what it has to bring back. Raises Problem (503)."""
        metadata = await self._known()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        flow = Flow(state, nonce, verifier, return_to)
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=self._settings.redirect_uri,
            scope=_SCOPE,
            state=flow.state,
            nonce=flow.nonce,
            code_challenge=create_s256_code_challenge(flow.verifier),
            code_challenge_method="S256",
        )
        return url, flow

    async def finish(self, flow: Flow, code: str) -> Identity:
        """Who it is, for the code the browser came back with. Raises Problem: 401 when that is not
        proved, 503 when the provider is away."""
        tokens = await self._exchange(flow, code)
        try:
            claims = await self._verified(tokens, flow.nonce)
        except (JoseError, ValueError) as error:
            _log.warning("an ID token is not accepted", error=repr(error))
            raise _not_proved() from error
        return identity_of(claims, self._settings.groups)

    async def _exchange(self, flow: Flow, code: str) -> _Tokens:
        metadata = await self._known()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_uri,
            "code_verifier": flow.verifier,
            "client_id": self._settings.client_id,
        }
        headers = {"accept": "application/json"}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            headers["authorization"] = self._basic()
        else:
            form["client_secret"] = self._settings.client_secret
        answer = await self._ask(
            lambda: self._client.post(metadata.token_endpoint, data=form, headers=headers)
        )
        if answer.status_code >= 400:
            _log.warning("a code is not taken by the identity provider", status=answer.status_code)
            raise _not_proved()
        return _decoded(answer, _Tokens)

    def _basic(self) -> str:
        """Both parts are form-encoded first (RFC 6749, 2.3.1)."""
        parts = (self._settings.client_id, self._settings.client_secret)
        text = ":".join(quote_plus(part) for part in parts)
        return f"Basic {b64encode(text.encode()).decode()}"

    async def _verified(self, tokens: _Tokens, nonce: str) -> Mapping[str, Any]:
        token = jwt.decode(tokens.id_token, await self._signing_keys(), _ALGORITHMS)
        settings = self._settings
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": settings.issuer},
                "aud": {"essential": True, "value": settings.client_id},
            },
            params={
                "nonce": nonce,
                "client_id": settings.client_id,
                "access_token": tokens.access_token,
            },
        )
        claims.validate(now=self._clock() // SECOND, leeway=_LEEWAY_SECONDS)
        return token.claims

    async def _signing_keys(self) -> KeySet:
        """The provider's keys as they are now: they change without notice, and people sign in
        rarely enough to ask each time."""
        now = self._clock()
        if self._keys is not None and now - self._keys[1] < _ASK_AGAIN:
            return self._keys[0]
        metadata = await self._known()
        answer = await self._ask(lambda: self._client.get(metadata.jwks_uri))
        keys = KeySet.import_key_set(_decoded(answer, dict[str, Any]))  # type: ignore[arg-type]
        self._keys = (keys, now)
        return keys

    async def _known(self) -> Metadata:
        now = self._clock()
        if self._metadata is not None and now - self._metadata[1] < _KNOWN_FOR:
            return self._metadata[0]
        url = f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = await self._ask(lambda: self._client.get(url))
        found = _decoded(answer, Metadata)
        if found.issuer != self._settings.issuer:
            _log.error("the identity provider calls itself otherwise", issuer=found.issuer)
            raise _away()
        self._metadata = (found, now)
        return found

    async def _ask(self, send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        try:
            answer = await send()
        except httpx.TransportError as error:
            raise _away() from error
        if answer.status_code >= 500:
            raise _away()
        return answer


def _decoded(answer: httpx.Response, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.DecodeError as error:
        _log.exception("the identity provider answers what cannot be read")
        raise _away() from error


def _away() -> Problem:
    message = "the identity provider does not answer as it should"
    return Problem(503, "identity_provider_away", message, retry_after=5)


def _not_proved() -> Problem:
    return Problem(401, "identity_not_proved", "the identity provider did not confirm who you are")
