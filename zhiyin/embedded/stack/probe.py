"""Asks a process of ours how it is, over the loopback address."""

import http.client
from collections.abc import Mapping
from typing import Any

import msgspec

from zhiyin.embedded.ports import LOOPBACK

SECONDS = 3.0


def ask(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes] | None:
    """Status and body of a GET; None if nobody answers within 3 s."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=SECONDS)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_ready(port: int) -> bool:
    answer = ask(port, "/readyz")
    return answer is not None and answer[0] == 200


def system_of(port: int, token: str) -> dict[str, Any]:
    """What a process tells about itself (see /internal/system); empty if it does not answer."""
    answer = ask(port, "/internal/system", {"X-Zhiyin-Internal": token})
    if answer is None or answer[0] != 200:
        return {}
    try:
        return msgspec.json.decode(answer[1], type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
