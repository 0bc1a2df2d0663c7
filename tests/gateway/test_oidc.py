"""Signing in with an identity provider, a running one."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from services.gateway.main import MIGRATIONS, SERVICE
from services.gateway.oidc_settings import OidcSettings, oidc_settings
from tests.databases import a_database
from tests.gateway.harness import Running, running, settings_for
from tests.gateway.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, an_oidc_provider
from tests.gateway.staffed import bearer, somebody
from zhiyin.runtime.env import SettingsError
from zhiyin.runtime.migrate import migrate

LIN = {"sub": "u-1", "email": "lin@example.com", "email_verified": True, "name": "林悦"}


@pytest.fixture(scope="module")
async def provider() -> AsyncIterator[OidcProvider]:
    async with an_oidc_provider() as one:
        yield one


@pytest.fixture(scope="module")
async def own_database(postgres_url: str) -> AsyncIterator[str]:
    async with a_database(postgres_url) as url:
        await migrate(url, SERVICE, MIGRATIONS)
        yield url


@pytest.fixture
async def gateway(
    provider: OidcProvider, own_database: str, fresh_redis: str
) -> AsyncIterator[Running]:
    provider.person = {**LIN, "groups": ["staff", "crm-marketing"]}
    provider.bend, provider.signed_with, provider.away = lambda _: None, "its own key", False
    oidc = OidcSettings(
        issuer=provider.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri="http://gateway/v1/sessions/oidc/callback",
        roles={"crm-admins": "admin", "crm-marketing": "marketer"},
    )
    settings = replace(settings_for(own_database, fresh_redis), oidc=oidc, totp_required=True)
    async with running(settings, stubbed=False) as one:
        await one.gateway.database.pool.execute("TRUNCATE operator CASCADE")
        yield one


async def there(gateway: Running, path: str = "/v1/sessions/oidc") -> str:
    """As far as the provider sends a browser back to us: the address it sends it to."""
    begun = await gateway.client.get(path)
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(begun.headers["location"])
    return answer.headers["location"]


async def sign_in(gateway: Running) -> httpx.Response:
    return await gateway.client.get(await there(gateway))


async def test_somebody_of_a_group_is_let_in_with_its_role(gateway: Running) -> None:
    back = await there(gateway, "/v1/sessions/oidc?return_to=/console/campaigns")
    answer = await gateway.client.get(back)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/console/campaigns"
    me = (await gateway.client.get("/v1/me")).json()
    assert (me["role"], me["email"], me["name"]) == ("marketer", "lin@example.com", "林悦")
    assert me["must"] == []  # the provider asks for what it takes


async def test_the_same_person_is_the_same_operator_in_the_role_of_today(
    gateway: Running, provider: OidcProvider
) -> None:
    await sign_in(gateway)
    first = (await gateway.client.get("/v1/me")).json()
    await somebody(gateway, "boss@example.com", "admin")
    provider.person = {**LIN, "email": "new@example.com", "groups": ["crm-admins"]}
    await sign_in(gateway)
    again = (await gateway.client.get("/v1/me")).json()
    assert (again["id"], again["role"]) == (first["id"], "admin")
    provider.person = {**LIN, "groups": ["staff"]}
    answer = await sign_in(gateway)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_role")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"groups": []}, "no_role"),
        ({"groups": "crm-marketing", "email_verified": False}, "email_not_verified"),
        ({"groups": {"crm-admins": True}}, "no_role"),
    ],
)
async def test_whom_no_group_makes_somebody_stays_outside(
    gateway: Running, provider: OidcProvider, claims: dict[str, Any], code: str
) -> None:
    provider.person = {**LIN, **claims}
    answer = await sign_in(gateway)
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert (await gateway.client.get("/v1/me")).status_code == 401


async def test_an_expected_account_is_theirs_whose_address_is_vouched_for(
    gateway: Running, provider: OidcProvider
) -> None:
    admin = await gateway.key("admin")
    spec = {"email": "lin@example.com", "name": "林", "role": "approver", "password": False}
    made = (await gateway.client.post("/v1/operators", headers=admin, json=spec)).json()
    assert made["password"] is None
    provider.person = {**LIN, "groups": []}
    assert (await sign_in(gateway)).status_code == 303
    me = (await gateway.client.get("/v1/me")).json()
    assert (me["id"], me["role"]) == (made["operator"]["id"], "approver")
    provider.person = {**LIN, "sub": "somebody-else"}
    answer = await sign_in(gateway)
    assert (answer.status_code, answer.json()["code"]) == (403, "somebody_elses")
    said = {"email": "lin@example.com", "password": "anything at all"}
    assert (await gateway.client.post("/v1/sessions", json=said)).status_code == 401


def without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.pop(name)


def bent(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda claims: claims.update(changes)


@pytest.mark.parametrize(
    "bend",
    [
        bent(nonce="another"),
        without("nonce"),
        bent(aud="another-client"),
        bent(aud=[CLIENT_ID, "another"], azp="another"),
        bent(iss="https://evil.example.com"),
        bent(exp=1_700_000_000),
        bent(iat=9_700_000_000),
        without("exp"),
        without("sub"),
    ],
)
async def test_a_token_that_says_something_wrong_lets_nobody_in(
    gateway: Running, provider: OidcProvider, bend: Callable[[dict[str, Any]], None]
) -> None:
    provider.bend = bend
    answer = await sign_in(gateway)
    assert (answer.status_code, answer.json()["code"]) == (401, "identity_not_proved")


@pytest.mark.parametrize("how", ["nothing", "the public key as a secret", "another key"])
async def test_a_token_not_signed_by_the_provider_lets_nobody_in(
    gateway: Running, provider: OidcProvider, how: str
) -> None:
    provider.signed_with = how
    answer = await sign_in(gateway)
    assert (answer.status_code, answer.json()["code"]) == (401, "identity_not_proved")


async def test_a_code_is_good_once_and_in_the_browser_that_began(gateway: Running) -> None:
    back = await there(gateway)
    parts = urlsplit(back)
    state = parse_qs(parts.query)["state"][0]
    wrong = back.replace(state, "x" * len(state))
    answer = await gateway.client.get(wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_state")
    kept = dict(gateway.client.cookies)
    gateway.client.cookies.clear()  # another browser, to which somebody sent the link
    assert (await gateway.client.get(back)).json()["code"] == "wrong_state"
    headers = {"cookie": f"zhiyin_oidc={kept['zhiyin_oidc']}"}
    assert (await gateway.client.get(back, headers=headers)).status_code == 303
    gateway.client.cookies.clear()
    replayed = await gateway.client.get(back, headers=headers)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "identity_not_proved")


async def test_a_changed_verifier_is_not_taken(gateway: Running, provider: OidcProvider) -> None:
    back = await there(gateway)
    for asked in provider.codes.values():
        asked["code_challenge"] = "another"
    assert (await gateway.client.get(back)).status_code == 401


async def test_who_is_refused_there_is_told_so(gateway: Running) -> None:
    back = await there(gateway)
    state = parse_qs(urlsplit(back).query)["state"][0]
    path = f"/v1/sessions/oidc/callback?error=access_denied&state={state}"
    answer = await gateway.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "refused_elsewhere")


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example.com", "https://evil.example.com", "/\\evil", "console", "/a%0d"]
)
async def test_nobody_is_sent_to_another_host(gateway: Running, elsewhere: str) -> None:
    answer = await gateway.client.get("/v1/sessions/oidc", params={"return_to": elsewhere})
    if answer.status_code == 303:
        assert elsewhere == "/a%0d"  # escaped it stays: a path of ours
    else:
        assert answer.json()["errors"][0]["pointer"] == "/return_to"


async def test_a_deactivated_operator_is_not_let_in_by_the_provider(gateway: Running) -> None:
    await sign_in(gateway)
    me = (await gateway.client.get("/v1/me")).json()
    gateway.client.cookies.clear()
    admin = await gateway.key("admin")
    path = f"/v1/operators/{me['id']}"
    await gateway.client.patch(path, headers=admin, json={"active": False})
    answer = await sign_in(gateway)
    assert (answer.status_code, answer.json()["code"]) == (403, "deactivated")


async def test_a_provider_that_is_away_is_503_and_passwords_go_on(
    gateway: Running, provider: OidcProvider
) -> None:
    provider.away = True
    answer = await gateway.client.get("/v1/sessions/oidc")
    assert (answer.status_code, answer.json()["code"]) == (503, "identity_provider_away")
    person = await somebody(gateway, "here@example.com")
    session = (await person.sign_in()).json()
    me = await gateway.client.get("/v1/me", headers=bearer(session["access_token"]))
    assert me.status_code == 200


def test_wrong_settings_are_named() -> None:
    right = {
        "ZHIYIN_OIDC_ISSUER": "https://id.example.com",
        "ZHIYIN_OIDC_CLIENT_ID": "zhiyin",
        "ZHIYIN_OIDC_CLIENT_SECRET": "secret",
        "ZHIYIN_OIDC_ROLES": "crm-admins=admin, cn=a,b=viewer",
    }
    assert oidc_settings({}, "") is None
    for change, url in (
        ({}, "https://crm.example.com"),
        ({"ZHIYIN_OIDC_ROLES": "crm=admin"}, ""),
        ({"ZHIYIN_OIDC_ROLES": "crm=king"}, "https://crm.example.com"),
        ({"ZHIYIN_OIDC_ROLES": "", "ZHIYIN_OIDC_CLIENT_ID": ""}, "https://crm.example.com"),
        ({"ZHIYIN_OIDC_ISSUER": "id.example.com"}, "https://crm.example.com"),
    ):
        with pytest.raises(SettingsError, match="ZHIYIN_"):
            oidc_settings({**right, **change}, url)
    found = oidc_settings({**right, "ZHIYIN_OIDC_ROLES": "a=admin,b=viewer"}, "https://x.example")
    assert found is not None
    assert list(found.roles.items()) == [("a", "admin"), ("b", "viewer")]
