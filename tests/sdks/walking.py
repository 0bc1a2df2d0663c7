"""Makes every documented call once on a running platform, with the example it is documented with,
in whatever order lets them succeed."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.gateway.posted import a_purchase
from tests.sdks.telling import story_of, until_told
from tests.whole.platform import Platform

# In place of what an example cannot know: things that are there. By part of the path before it.
PARAMETERS = {
    "namespace": "member_id",
    "value": "M1001",
    "tag": "vip",
    "note_id": "n-1",
    "phrase": "上火",
    "name": "hook",
}
UNKNOWN = "unknown-to-the-walk"
_PASSES = 4
_PARAMETER = re.compile(r"([\w-]+)/\{(\w+)\}")


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    documented: Mapping[str, Any]

    @property
    def body(self) -> Any:
        content = self.documented.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("example")

    @property
    def status(self) -> int:
        return int(next(code for code in self.documented["responses"] if code.startswith("2")))


@dataclass
class Walk:
    """`answers` by name of the call; `refused`: the last answer of calls that never succeeded."""

    platform: Platform
    document: Mapping[str, Any]
    known: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def operations(self) -> Iterator[Operation]:
        """Those that end: what is told live, or leads elsewhere, is not asked here."""
        for path, methods in self.document["paths"].items():
            for method, documented in methods.items():
                done = [each for code, each in documented["responses"].items() if code[0] == "2"]
                if done and "text/event-stream" not in done[0].get("content", {}):
                    yield Operation(documented["operationId"], method.upper(), path, documented)

    async def all(self) -> None:
        """Until nothing more succeeds; what takes something away comes last, the person at the
        very end."""
        await self._somebody()
        every = sorted(self.operations(), key=_when)
        left = [each for each in every if each.method != "DELETE"]
        for _ in range(_PASSES):
            left = [each for each in left if not await self._once(each)]
        for each in every:
            if each.method == "DELETE":
                await self._once(each)
        for each in left:
            await self._once(each)

    async def _somebody(self) -> None:
        """The person of the examples, and another to be merged with them."""
        for name, member_id in (("profile_id", "M1001"), ("other", "M1002")):
            await self.platform.ask("POST", "/v1/events", a_purchase(member_id))
            await until_told(self.platform, member_id, 1)
            person, _ = await story_of(self.platform, member_id)
            self.known[name] = person["profile_id"]

    async def _once(self, operation: Operation) -> bool:
        answer = await self.platform.ask(
            operation.method, self._path(operation), self._body(operation)
        )
        if answer.status_code != operation.status:
            asked = answer.request.url.path
            self.refused[operation.name] = f"{answer.status_code} {asked} {answer.text[:300]}"
            return False
        self.refused.pop(operation.name, None)
        if answer.headers.get("content-type", "").startswith("application/json"):
            self.answers[operation.name] = answer.json()
            self._learn(operation, answer.json())
        return True

    def _learn(self, operation: Operation, answer: Any) -> None:
        """What it made has a name by which other calls find it."""
        if not isinstance(answer, dict):
            return
        for name in ("erasure_id", "code"):
            if isinstance(answer.get(name), str):
                self.known[name] = answer[name]
        noun = operation.path.rpartition("/")[2]
        if operation.method == "POST" and operation.status == 201:
            self._name(noun, answer.get("operator", answer), {})
        elif operation.method == "GET" and answer.get("items"):
            self._name(noun, answer["items"][0], self.known)

    def _name(self, noun: str, one: Any, but: Mapping[str, str]) -> None:
        """Unless there is a better one `but`: what somebody has just made."""
        for name in ("id", "key", "name"):
            known = f"{noun} {name}"
            if known not in but and isinstance(one, dict) and isinstance(one.get(name), str):
                self.known[known] = one[name]

    def _path(self, operation: Operation) -> str:
        def value(found: re.Match[str]) -> str:
            noun, name = found[1], found[2]
            made = self.known.get(f"{noun} {name}") or self.known.get(name)
            chosen = made or PARAMETERS.get(name, UNKNOWN)
            return f"{noun}/{quote(chosen, safe='')}"

        path = operation.path.replace("/{value}", f"/{PARAMETERS['value']}")
        return _PARAMETER.sub(value, path)

    def _body(self, operation: Operation) -> Any:
        """The example, with the names of what is really there."""
        body = operation.body
        known = self.known
        match operation.name:
            case "profiles.merge" | "profiles.merge.preview":
                return {"keep": known["profile_id"], "absorb": known["other"]}
            case "profiles.unmerge.preview":
                return {"identifiers": ["member_id:M1001"]}
            case "coupon-templates.create" | "coupon-templates.change":
                return {**body, "key": "thanks-20", "claimable": True}
            case "coupons.redeem":
                return {name: value for name, value in body.items() if name != "redeemed_at"}
            case "coupons.reverse":
                return {"order_id": "O-1"}
        if isinstance(body, dict) and "profile_id" in body:
            return {**body, "profile_id": known["profile_id"]}
        return body


def _when(operation: Operation) -> tuple[bool, bool]:
    """What only shows what would be comes first, and the end of a person last."""
    return operation.name == "profiles.erase", not operation.name.endswith("preview")
