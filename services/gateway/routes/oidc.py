"""Signing in with an identity provider: there, and back again."""

import hmac
import re
from base64 import urlsafe_b64encode
from typing import Final

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.gateway.calls import Call, Query, fit
from services.gateway.credentials import cookie
from services.gateway.oidc import Flow, Provider
from services.gateway.routes.session_cookies import hand_out
from services.gateway.routes.sessions import Gate, client_network
from services.gateway.signing_in_elsewhere import SigningInElsewhere
from zhiyin.contracts.instants import SECOND
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import FieldError, Problem

_PATH: Final = "/v1/sessions/oidc"
_COOKIE: Final = "zhiyin_oidc"
_SECONDS: Final = 600
_CONSOLE: Final = "/console"
# A path of ours: never another host, however a browser reads slashes.
_OURS: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}")

BEGIN: Final = Call(
    method="GET", path=_PATH, scope=None, public=True, service="gateway", name="sessions.oidc",
    summary="Sign in with the identity provider: sends the browser there", tag="sessions",
    status=303, query=(Query("return_to", "a path of the gateway to come back to"),),
)  # fmt: skip
FINISH: Final = Call(
    method="GET", path=f"{_PATH}/callback", scope=None, public=True, service="gateway",
    name="sessions.oidc.callback", summary="Back from the identity provider, with cookies",
    tag="sessions", status=303,
    query=(
        Query("code", "from the provider"),
        Query("state", "as it was sent there"),
        Query("error", "why the provider sends nobody"),
    ),
)  # fmt: skip


class OidcRoutes:
    """Without a provider there is nothing here. `key` (32 bytes) seals what a browser keeps until
    it is back: whichever gateway it comes to can go on."""

    def __init__(
        self,
        gate: Gate,
        provider: Provider | None,
        signing_in: SigningInElsewhere,
        key: bytes,
        clock: Clock,
        *,
        secure: bool,
    ) -> None:
        self._gate = gate
        self._provider = provider
        self._signing_in = signing_in
        self._seal = Fernet(urlsafe_b64encode(key))
        self._clock = clock
        self._secure = secure

    async def begin(self, request: Request) -> Response:
        await self._gate.let_pass(request)
        fit(request)
        return_to = request.query_params.get("return_to", _CONSOLE)
        if not _OURS.fullmatch(return_to):
            error = FieldError("/return_to", "invalid", "a path of the gateway, such as /console")
            raise Problem(422, "invalid", error.message, errors=[error])
        url, flow = await self._known().begin(return_to)
        response = RedirectResponse(url, 303)
        sealed = self._seal.encrypt_at_time(msgspec.json.encode(flow), self._seconds())
        # `lax`: the browser comes back from another site, and must have it then.
        response.set_cookie(
            _COOKIE, sealed.decode(), max_age=_SECONDS, path=_PATH, secure=self._secure,
            httponly=True, samesite="lax",
        )  # fmt: skip
        return response

    async def finish(self, request: Request) -> Response:
        await self._gate.let_pass(request)
        fit(request)
        provider, given = self._known(), request.query_params
        flow = self._flow(request)
        state = given.get("state", "")
        if flow is None or not hmac.compare_digest(state.encode(), flow.state.encode()):
            raise Problem(
                400, "wrong_state", "this sign-in was not begun in this browser, or is over"
            )
        if "code" not in given:
            said = given.get("error", "no code")[:100]
            raise Problem(403, "refused_elsewhere", f"the identity provider says: {said}")
        identity = await provider.finish(flow, given["code"])
        opened = await self._signing_in.sign_in(identity, client_network(request))
        response = RedirectResponse(flow.return_to, 303)
        response.delete_cookie(_COOKIE, path=_PATH)
        hand_out(response, opened, self._clock(), secure=self._secure)
        return response

    def _known(self) -> Provider:
        if self._provider is None:
            raise Problem(404, "no_identity_provider", "no identity provider is set up here")
        return self._provider

    def _flow(self, request: Request) -> Flow | None:
        sealed = cookie(request, _COOKIE) or ""
        try:
            text = self._seal.decrypt_at_time(sealed.encode(), _SECONDS, self._seconds())
            return msgspec.json.decode(text, type=Flow)
        except (InvalidToken, UnicodeEncodeError, msgspec.DecodeError):
            return None

    def _seconds(self) -> int:
        return self._clock() // SECOND
