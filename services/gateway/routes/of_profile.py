"""Calls that the profile service answers."""

from typing import Any

from services.gateway.calls import Call
from services.gateway.domain.scopes import PROFILES_READ, PROFILES_WRITE
from services.gateway.upstreams import PROFILE


def profile_call(method: str, path: str, name: str, summary: str, *, tag: str, **more: Any) -> Call:
    """`path` below /v1; reading takes the scope to read profiles, anything else to write them,
    unless `more` says otherwise."""
    scope = PROFILES_READ if method == "GET" else PROFILES_WRITE
    return Call(
        method=method,
        path=f"/v1/{path}",
        name=name,
        summary=summary,
        tag=tag,
        **{"scope": scope, "service": PROFILE, **more},
    )
