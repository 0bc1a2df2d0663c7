"""What providers call back with, handed on by the gateway."""

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.engagement.callbacks.desk import Desk
from zhiyin.contracts.callbacks import Callback

_callback = msgspec.msgpack.Decoder(Callback).decode


def callback_routes(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.post("/internal/channels/{name}/callback")
    async def callback(name: str, request: Request) -> Response:
        taken = await desk.take(name, _callback(await request.body()))
        return Response(taken.body, media_type=taken.media_type)

    return router
