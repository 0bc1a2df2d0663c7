"""Which identity provider operators may sign in with."""

from collections.abc import Mapping

from msgspec import Struct

from services.gateway.domain.scopes import OPERATOR_ROLES
from zhiyin.runtime import env
from zhiyin.runtime.env import SettingsError


class OidcSettings(Struct, frozen=True, kw_only=True):
    """`issuer` as its own documents have it; `roles` by group, the most important first; `groups`:
    the claim they are in."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    roles: Mapping[str, str]
    groups: str = "groups"


def oidc_settings(environ: Mapping[str, str], public_url: str) -> OidcSettings | None:
    """None without `ZHIYIN_OIDC_ISSUER`. Raises SettingsError."""
    issuer = environ.get("ZHIYIN_OIDC_ISSUER", "")
    if not issuer:
        return None
    env.web_addresses(environ, "ZHIYIN_OIDC_ISSUER")
    if not public_url:
        raise SettingsError("ZHIYIN_OIDC_ISSUER needs ZHIYIN_PUBLIC_URL, to which people come back")
    return OidcSettings(
        issuer=issuer,
        client_id=env.required(environ, "ZHIYIN_OIDC_CLIENT_ID"),
        client_secret=env.required(environ, "ZHIYIN_OIDC_CLIENT_SECRET"),
        redirect_uri=f"{public_url}/v1/sessions/oidc/callback",
        roles=_roles(environ),
        groups=environ.get("ZHIYIN_OIDC_GROUPS", "groups"),
    )


def _roles(environ: Mapping[str, str]) -> Mapping[str, str]:
    found = {}
    for part in env.listed(environ, "ZHIYIN_OIDC_ROLES"):
        group, _, role = part.rpartition("=")
        if not group or role not in OPERATOR_ROLES:
            known = ", ".join(OPERATOR_ROLES)
            raise SettingsError(f"ZHIYIN_OIDC_ROLES is group=role, …, with the roles {known}")
        found[group.strip()] = role
    return found
