"""Every call is documented with examples that fit what it says of itself."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.gateway.harness import Running

JSON = "application/json"
Document = dict[str, Any]


@pytest.fixture
async def document(gateway: Running) -> Document:
    found: Document = (await gateway.client.get("/openapi.json")).json()
    return found


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def contents(operation: Document) -> Iterator[Document]:
    """What may be sent, and what is answered when it is done."""
    yield from operation.get("requestBody", {}).get("content", {}).values()
    for status, answer in operation["responses"].items():
        if status[0] == "2":
            kinds = answer.get("content", {})
            yield from (kind for media, kind in kinds.items() if media == JSON)


def test_every_body_and_answer_has_an_example_that_fits_its_schema(document: Document) -> None:
    wrong = []
    for method, path, operation in operations(document):
        for content in contents(operation):
            if "example" not in content:
                wrong.append(f"{method} {path}: no example")
                continue
            schema = {**content["schema"], "components": document["components"]}
            errors = Draft202012Validator(schema).iter_errors(content["example"])
            wrong += [f"{method} {path}: {each.json_path} {each.message[:200]}" for each in errors]
    assert not wrong, "\n".join(wrong)


def test_every_call_is_there_as_curl(document: Document) -> None:
    for method, path, operation in operations(document):
        [sample] = operation["x-codeSamples"]
        words = shlex.split(sample["source"])
        assert words[0] == "curl"
        assert (words[words.index("-X") + 1] if "-X" in words else "GET") == method
        address = next(word for word in words if word.startswith("$ZHIYIN/"))
        assert "{" not in address
        assert address.count("/") >= path.count("/")
        body = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("example")
        stated = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        assert stated == body


async def test_the_topics_are_described_for_everybody(gateway: Running) -> None:
    answer = await gateway.client.get("/asyncapi.json")
    assert answer.json()["asyncapi"] == "3.0.0"
