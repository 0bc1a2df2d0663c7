"""The documented examples, really posted: each call succeeds, and answers as it says it does."""

import pytest
from jsonschema import Draft202012Validator

from tests.sdks.walking import UNKNOWN, Walk
from tests.whole.platform import Platform

# Examples that need somebody signed in, or something that is only there after trouble; each has
# tests of its own.
ELSEWHERE = ("sessions.", "me.", "oidc.", "master-key.rotate", "dead-letters.replay")


@pytest.mark.timeout(900)
async def test_every_example_works_on_a_running_platform(platform: Platform) -> None:
    await platform.until_live()
    document = (await platform.ask("GET", "/openapi.json")).json()
    walk = Walk(platform, document)
    await walk.all()
    refused = {name: why for name, why in walk.refused.items() if not elsewhere(name, why)}
    assert not refused, "\n".join(f"{name}: {why}" for name, why in refused.items())
    assert len(walk.answers) > 100
    assert not [why for why in walk.refused.values() if why[0] == "5"]
    wrong = []
    for operation in walk.operations():
        if operation.name not in walk.answers:
            continue
        kinds = operation.documented["responses"][str(operation.status)]["content"]
        schema = {**kinds["application/json"]["schema"], "components": document["components"]}
        errors = Draft202012Validator(schema).iter_errors(walk.answers[operation.name])
        wrong += [f"{operation.name}: {each.json_path} {each.message[:200]}" for each in errors]
    assert not wrong, "\n".join(wrong)


def elsewhere(name: str, why: str) -> bool:
    return name.startswith(ELSEWHERE) or (why.startswith("404") and UNKNOWN in why)
