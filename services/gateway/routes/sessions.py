"""Sessions: signing in, refreshing, signing out."""

from typing import Annotated, Final, Literal, Protocol

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.bodies import read_json
from services.gateway.calls import PAGE, Admits, Call, PageAsked, Query, Records, fit
from services.gateway.credentials import REFRESH_COOKIE, cookie
from services.gateway.domain.networks import network_of
from services.gateway.domain.scopes import ADMIN
from services.gateway.domain.sessions import Must
from services.gateway.routes.session_cookies import hand_out, take_back
from services.gateway.sessions import Opened, Sessions
from services.gateway.signing_in import SigningIn, SignInSpec
from services.gateway.stores.audit import Entry
from services.gateway.stores.sessions import Listed, SessionStore
from zhiyin.contracts.instants import rfc3339
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem, current_trace
from zhiyin.runtime.web import CursorText, Page, body, convert, decode_cursor, encode_cursor, json

_TAG: Final = "sessions"
_CURRENT: Final = "current"


class RefreshSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """Without a token the cookie's is taken, and new cookies are given."""

    refresh_token: Annotated[str, Meta(max_length=256)] | None = None


class SessionView(Struct, frozen=True):
    """`must`: what is to be done before anything else is open. Tokens are null where they came
    as cookies; then `csrf_token` goes as `X-CSRF-Token` with whatever changes something."""

    session_id: str
    token_type: Literal["Bearer"]
    access_token: str | None
    expires_at: str
    refresh_token: str | None
    ends_at: str
    csrf_token: str
    must: tuple[Must, ...]


class ListedView(Struct, frozen=True):
    """`network`: from where it was opened, as coarsely as that is kept."""

    id: str
    operator_id: str
    method: str
    network: str
    created_at: str
    seen_at: str
    ends_at: str


class _Asked(PageAsked, frozen=True):
    operator_id: Annotated[str, Meta(max_length=64)] | None = None


CREATE: Final = Call(
    method="POST", path="/v1/sessions", scope=None, public=True, service="gateway",
    name="sessions.create", summary="Sign in with e-mail address, password and one-time code",
    tag=_TAG, body=SignInSpec, answer=SessionView, status=201,
    example={"email": "lin@example.com", "password": "correct horse battery", "code": "123456"},
)  # fmt: skip
REFRESH: Final = Call(
    method="POST", path="/v1/sessions/refresh", scope=None, public=True, service="gateway",
    name="sessions.refresh", summary="New tokens for a refresh token, which is used up by it",
    tag=_TAG, body=RefreshSpec, body_optional=True, answer=SessionView,
    example={"refresh_token": "zr_…"},
)  # fmt: skip
LIST: Final = Call(
    method="GET", path="/v1/sessions", scope=None, service="gateway", name="sessions.list",
    summary="Your open sessions; an admin may ask for another operator's", tag=_TAG,
    answer=Page[ListedView], query=(*PAGE, Query("operator_id", "whose; needs `admin`")),
)  # fmt: skip
END: Final = Call(
    method="DELETE", path="/v1/sessions/{id}", scope=None, service="gateway", name="sessions.end",
    summary="End a session, `current` for this one: sign out", tag=_TAG, status=204,
)  # fmt: skip


class Gate(Admits, Protocol):
    async def let_pass(self, request: Request) -> None: ...


class SessionRoutes:
    """`secure`: cookies are sent over TLS alone."""

    def __init__(
        self,
        gate: Gate,
        signing_in: SigningIn,
        sessions: Sessions,
        store: SessionStore,
        audit: Records,
        clock: Clock,
        *,
        secure: bool,
    ) -> None:
        self._gate = gate
        self._signing_in = signing_in
        self._sessions = sessions
        self._store = store
        self._audit = audit
        self._clock = clock
        self._secure = secure

    async def create(self, request: Request) -> Response:
        await self._gate.let_pass(request)
        spec = body(SignInSpec, await read_json(request))
        opened = await self._signing_in.sign_in(spec, client_network(request))
        return self._answer(opened, 201, cookies=spec.cookie)

    async def refresh(self, request: Request) -> Response:
        await self._gate.let_pass(request)
        spec = body(RefreshSpec, await read_json(request) or b"{}")
        given = spec.refresh_token
        in_cookie = cookie(request, REFRESH_COOKIE) if given is None else None
        opened = await self._sessions.refresh(given or in_cookie or "")
        return self._answer(opened, 200, cookies=in_cookie is not None)

    async def list(self, request: Request) -> Response:
        caller = await self._gate.admit(request)
        fit(request)
        asked = convert(_Asked, dict(request.query_params))
        whose = asked.operator_id or caller.id
        if whose != caller.id and not caller.may(ADMIN):
            raise Problem(403, "forbidden", "only an admin sees the sessions of others")
        (after,) = decode_cursor(asked.cursor, tuple[CursorText]) if asked.cursor else ("",)
        found = await self._store.open_of(whose, self._clock(), after, asked.limit + 1)
        more = encode_cursor(found[asked.limit - 1].id) if len(found) > asked.limit else None
        return json(Page([_listed(each) for each in found[: asked.limit]], more))

    async def end(self, request: Request) -> Response:
        caller = await self._gate.admit(request)
        session_id = fit(request)["id"]
        if session_id == _CURRENT:
            session_id = caller.session_id or ""
        owner = await self._store.owner(session_id)
        if owner is None or (owner != caller.id and not caller.may(ADMIN)):
            raise Problem(404, "unknown_session", "there is no such session of yours")
        entry = Entry(caller.actor, END.name, owner, {"session": session_id}, current_trace.get())
        await self._audit.record(entry)
        await self._sessions.end(session_id)
        response = Response(status_code=204)
        if session_id == caller.session_id:
            take_back(response)
        return response

    def _answer(self, opened: Opened, status: int, *, cookies: bool) -> Response:
        response = json(_view(opened, shown=not cookies), status)
        if cookies:
            hand_out(response, opened, self._clock(), secure=self._secure)
        return response


def client_network(request: Request) -> str:
    return network_of(request.client.host if request.client else None)


def _view(opened: Opened, *, shown: bool) -> SessionView:
    return SessionView(
        opened.session_id,
        "Bearer",
        opened.access_token if shown else None,
        rfc3339(opened.expires_at),
        opened.refresh_token if shown else None,
        rfc3339(opened.ends_at),
        opened.csrf_token,
        opened.must,
    )


def _listed(session: Listed) -> ListedView:
    return ListedView(
        session.id,
        session.operator_id,
        session.method,
        session.network,
        rfc3339(session.created_at),
        rfc3339(session.seen_at),
        rfc3339(session.ends_at),
    )
