"""Servers that speak a provider's protocol, as its documentation has it, on a real socket."""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from tests.engagement.receiver import Exchange, serving

KEY_ID, KEY_SECRET = "LTAI-test", "a secret of the tests"


@dataclass
class Provider:
    """`answers`: what comes next; once it is empty everything is taken. `taken`: what was."""

    answers: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Exchange] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def paths(self) -> list[str]:
        return [urlsplit(each.target).path for each in self.asked]


@asynccontextmanager
async def a_provider(
    provider: Provider, answer: Callable[[Exchange], tuple[int, Mapping[str, Any]]]
) -> AsyncIterator[None]:
    def handle(exchange: Exchange) -> tuple[int, dict[str, str], bytes]:
        provider.asked.append(exchange)
        status, document = answer(exchange)
        return status, {"content-type": "application/json"}, msgspec.json.encode(document)

    async with serving(handle) as port:
        provider.url = f"http://127.0.0.1:{port}"
        yield


@asynccontextmanager
async def aliyun() -> AsyncIterator[Provider]:
    """Checks signatures, and takes what is signed."""
    provider = Provider()

    def answer(asked: Exchange) -> tuple[int, Mapping[str, Any]]:
        query = dict(parse_qsl(urlsplit(asked.target).query, keep_blank_values=True))
        if not _signed_well(asked, query):
            return 400, {"Code": "SignatureDoesNotMatch", "Message": "…", "RequestId": "r"}
        if asked.headers["x-acs-action"] == "QuerySendDetails":
            found = [
                {"OutId": each["OutId"], "SendStatus": 3, "PhoneNum": each["PhoneNumbers"]}
                for each in provider.taken
                if each["PhoneNumbers"] == query["PhoneNumber"]
            ]
            return 200, {"Code": "OK", "SmsSendDetailDTOs": {"SmsSendDetailDTO": found}}
        said = provider.answers.pop(0) if provider.answers else {"Code": "OK", "BizId": "b-1"}
        if said["Code"] in ("OK", "lost"):
            provider.taken.append(query)
        if said["Code"] == "lost":
            return 502, {}
        return int(said.get("status", 200)), {"Message": "…", "RequestId": "r", **said}

    async with a_provider(provider, answer):
        yield provider


def _signed_well(asked: Exchange, query: dict[str, str]) -> bool:
    """As the provider's page on signatures, version 3, has it."""
    algorithm, _, stated = asked.headers["authorization"].partition(" ")
    parts = dict(part.split("=", 1) for part in stated.split(","))
    names = parts["SignedHeaders"].split(";")
    must = {"host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
    content = hashlib.sha256(asked.body).hexdigest()
    canonical = "\n".join(
        [
            asked.method,
            "/",
            urlencode(sorted(query.items()), quote_via=quote, safe="~"),
            *(f"{name}:{asked.headers[name]}" for name in sorted(names)),
            "",
            ";".join(sorted(names)),
            content,
        ]
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    expected = hmac.new(KEY_SECRET.encode(), f"{algorithm}\n{hashed}".encode(), hashlib.sha256)
    return (
        (algorithm, parts["Credential"]) == ("ACS3-HMAC-SHA256", KEY_ID)
        and must <= set(names)
        and asked.headers["x-acs-content-sha256"] == content
        and hmac.compare_digest(parts["Signature"], expected.hexdigest())
    )


@asynccontextmanager
async def tencent() -> AsyncIterator[Provider]:
    """WeChat and WeCom: tokens that end, and codes in the body of a 200."""
    provider = Provider()
    valid = {"t-1"}

    def answer(asked: Exchange) -> tuple[int, Mapping[str, Any]]:
        query = dict(parse_qsl(urlsplit(asked.target).query))
        if (token := _token(asked, query, valid)) is not None:
            return 200, token
        if "access_token" in query and query["access_token"] not in valid:
            return 200, {"errcode": 42001, "errmsg": "access_token expired"}
        said = provider.answers.pop(0) if provider.answers else {"errcode": 0, "errmsg": "ok"}
        if said.get("errcode") == 42001:
            valid.clear()
        if said.get("errcode") == 0:
            provider.taken.append(msgspec.json.decode(asked.body))
            said = {"msgid": len(provider.taken), **said}
        return 200, said

    async with a_provider(provider, answer):
        yield provider


def _token(asked: Exchange, query: dict[str, str], valid: set[str]) -> dict[str, Any] | None:
    """The answer to who asks for one."""
    match urlsplit(asked.target).path:
        case "/cgi-bin/stable_token":
            given = msgspec.json.decode(asked.body)
            if given["secret"] != "app-secret":
                return {"errcode": 40125, "errmsg": "invalid appsecret"}
            return _renewed(valid, force=given["force_refresh"])
        case "/cgi-bin/gettoken":
            if query["corpsecret"] != "app-secret":
                return {"errcode": 40001, "errmsg": "invalid credential"}
            return {"errcode": 0, "errmsg": "ok", **_renewed(valid, force=not valid)}
        case _:
            return None


def _renewed(valid: set[str], *, force: bool) -> dict[str, Any]:
    """Asked without force, the same token as before, as long as it holds."""
    if force or not valid:
        valid.clear()
        valid.add("t-2")
    return {"access_token": min(valid), "expires_in": 7200}
