"""`Idempotency-Key`: the same request sent again gets the same answer and does nothing."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.stores.answers import Answer, AnswerStore, Different, Running
from zhiyin.runtime.problems import Problem

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_REPLAYED: Final = "idempotent-replayed"

Do = Callable[[], Awaitable[Response]]


class Idempotency:
    def __init__(self, answers: AnswerStore) -> None:
        self._answers = answers

    async def once(self, request: Request, caller_id: str, body: bytes, do: Do) -> Response:
        """Does it, or answers as the first time. Without the header it is simply done. Raises
        Problem: 409 while the first is under way, 422 when the body differs."""
        given = request.headers.get("idempotency-key")
        if given is None:
            return await do()
        if not _KEY.fullmatch(given):
            raise Problem(400, "invalid_idempotency_key", "1 to 255 visible ASCII characters")
        place = "\n".join((caller_id, request.method, request.url.path, given))
        claimed = await self._answers.claim(place, body)
        if isinstance(claimed, Answer):
            return _response(claimed)
        if isinstance(claimed, Running):
            raise Problem(409, "still_running", "the same request is under way", retry_after=1)
        if isinstance(claimed, Different):
            raise Problem(422, "idempotency_key_reused", "this key came with another body before")
        return await self._first(place, do)

    async def forget_old(self) -> None:
        """Answers are kept for 24 hours."""
        await self._answers.forget_old()

    async def _first(self, place: str, do: Do) -> Response:
        kept = False
        try:
            response = await do()
            if response.status_code < 500:
                media_type = response.headers.get("content-type", "")
                answer = Answer(response.status_code, media_type, bytes(response.body))
                await self._answers.finish(place, answer)
                kept = True
            return response
        finally:
            if not kept:
                await self._answers.release(place)


def _response(answer: Answer) -> Response:
    headers = {"content-type": answer.media_type, _REPLAYED: "true"}
    return Response(answer.body, answer.status, headers=headers)
