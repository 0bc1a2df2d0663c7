"""The public surface as a whole: documentation, headers, and nonsense on every route."""

import json
from typing import Any

import pytest

from tests.gateway.harness import Running, internal_headers

NONSENSE: list[Any] = [None, [], "x", 5, {"key": 5}, {"rule": {"all": {}}}, {"a" * 300: "\0"}]


async def routes(gateway: Running) -> dict[str, Any]:
    answer = await gateway.client.get("/openapi.json")
    assert answer.status_code == 200
    paths: dict[str, Any] = answer.json()["paths"]
    return paths


async def test_every_call_is_documented_with_body_answer_and_refusals(gateway: Running) -> None:
    document = (await gateway.client.get("/openapi.json")).json()
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#')[1:]}:
        found = document
        for step in reference.strip("/").split("/"):
            found = found[step]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["security"], (method, path)
            assert operation["summary"]
            assert operation["responses"]["401"]
            named = {each["name"] for each in operation.get("parameters", [])}
            assert {part[1:-1] for part in path.split("/") if part[:1] == "{"} <= named
    assert document["paths"]["/v1/segments"]["post"]["requestBody"]["content"]["application/json"]
    assert len(document["paths"]) > 35


async def test_nonsense_on_any_route_is_a_problem_below_500(gateway: Running) -> None:
    key = await gateway.key("admin", "profiles:read_pii")
    gateway.behind.answer = (200, {"items": []})
    for path, operations in (await routes(gateway)).items():
        for method in operations:
            for value in ("%00", "%FF%FE", "x" * 300, "..%2F..", "%F0%9F%98%80"):
                filled = "/".join(value if part[:1] == "{" else part for part in path.split("/"))
                answer = await gateway.client.request(method, filled, headers=key)
                assert answer.status_code < 500, (method, filled, answer.text)


@pytest.mark.parametrize("body", NONSENSE)
async def test_nonsense_as_body_is_a_problem_below_500(gateway: Running, body: Any) -> None:
    key = {**await gateway.key("admin"), "content-type": "application/json"}
    gateway.behind.answer = (422, {"code": "invalid"})
    for path, operations in (await routes(gateway)).items():
        for method in set(operations) - {"get"}:
            filled = path.replace("{", "").replace("}", "")
            raw = json.dumps(body).encode()
            answer = await gateway.client.request(method, filled, headers=key, content=raw)
            assert answer.status_code < 500, (method, filled, answer.text)


async def test_unknown_paths_and_methods_are_problems_too(gateway: Running) -> None:
    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/events", 405),
        ("POST", "/v1/profiles/by/phone/1", 405),
        ("GET", "/v1/campaigns/x/simulate", 405),
    ):
        answer = await gateway.client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


async def test_answers_carry_security_headers(gateway: Running) -> None:
    answer = await gateway.client.get("/healthz")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers


async def test_the_reference_shows_every_call_and_needs_nothing_from_elsewhere(
    gateway: Running,
) -> None:
    answer = await gateway.client.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for outside in ("<script", "<link", "<img", "@import", " src=", 'href="http'):
        assert outside not in answer.text
    for path in await routes(gateway):
        assert f"<code>{path}</code>" in answer.text


async def test_people_find_documentation_and_a_console_page(gateway: Running) -> None:
    for path in ("/docs", "/console", "/metrics", "/readyz"):
        assert (await gateway.client.get(path)).status_code == 200, path


async def test_the_internal_side_is_not_public(gateway: Running) -> None:
    assert (await gateway.client.get("/internal/system")).status_code == 404
    inside = await gateway.client.get("/internal/system", headers=internal_headers())
    assert inside.json()["service"] == "gateway"
