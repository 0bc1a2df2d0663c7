"""`POST /internal/names`: which of these segments and tags nobody knows, for who refers to them."""

from typing import Annotated, Any, Final
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.bodies import read_json
from services.gateway.upstreams import PROFILE, SEGMENTATION, Asked, Upstreams
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.web import body, json

PATH: Final = "/internal/names"
_Names = Annotated[list[Annotated[str, Meta(min_length=1, max_length=128)]], Meta(max_length=500)]


class NamesSpec(Struct, frozen=True, forbid_unknown_fields=True):
    segments: _Names = []
    tags: _Names = []


class NamesRoute:
    """The middleware before it lets only callers with the internal token through."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams

    async def unknown(self, request: Request) -> Response:
        spec = body(NamesSpec, await read_json(request))
        segments = [each for each in spec.segments if not await self._is_segment(each)]
        tags = [each for each in spec.tags if not await self._is_tag(each)]
        return json(NamesSpec(segments, tags))

    async def _is_segment(self, key: str) -> bool:
        return await self._there(SEGMENTATION, f"/v1/segments/{quote(key, safe='')}")

    async def _is_tag(self, tag: str) -> bool:
        """A rule sets it, or somebody has had it: by hand, or from elsewhere."""
        if await self._there(PROFILE, f"/v1/tag-rules/{quote(tag, safe='')}"):
            return True
        asked = Asked(
            "POST", "/v1/rules/parse", "gateway", "", msgspec.json.encode({"rule": {"tag": tag}})
        )
        answer = await self._upstreams.ask(SEGMENTATION, asked)
        if answer.status != 200:
            return False
        read: dict[str, Any] = msgspec.json.decode(answer.body)
        return not any(each["code"] == "never_seen" for each in read["warnings"])

    async def _there(self, service: str, target: str) -> bool:
        answer = await self._upstreams.ask(service, Asked("GET", target, "gateway", ""))
        if answer.status not in (200, 404):
            raise Problem(502, "upstream_failed", f"the {service} service cannot say")
        return answer.status == 200
