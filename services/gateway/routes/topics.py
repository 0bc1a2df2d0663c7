"""`/asyncapi.json`: the topics, for whoever reads or writes them."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from zhiyin.contracts.asyncapi import asyncapi
from zhiyin.runtime.web import json


def document(version: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return json(asyncapi(version))

    return answer
