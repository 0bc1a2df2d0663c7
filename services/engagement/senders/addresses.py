"""Clear e-mail addresses for the moment of sending. They live in the gateway's vault alone."""

from collections.abc import Sequence
from typing import Final

import httpx
import msgspec
from msgspec import Struct

_SECONDS: Final = 5.0


class _Revealed(Struct, frozen=True):
    values: dict[str, str]


_revealed: Final = msgspec.json.Decoder(_Revealed).decode


class AddressUnavailable(Exception):
    """The vault did not answer; try again later."""


class Vault:
    """Asks the gateway; every reading is audited there, with the action as its reason."""

    def __init__(self, client: httpx.AsyncClient, urls: Sequence[str], token: str) -> None:
        self._client = client
        self._urls = tuple(urls)
        self._token = token

    async def reveal(self, namespace: str, token: str, action_id: str) -> str | None:
        """The value in clear, None if it has been erased. Raises AddressUnavailable."""
        body = {"namespace": namespace, "tokens": [token], "reason": f"delivery {action_id}"}
        problem = "ZHIYIN_GATEWAY_URLS is not set"
        for url in self._urls:
            try:
                answer = await self._client.post(
                    f"{url}/internal/reveal",
                    json=body,
                    headers={"x-zhiyin-internal": self._token, "x-zhiyin-actor": "engagement"},
                    timeout=_SECONDS,
                )
                if answer.status_code == httpx.codes.OK:
                    return _revealed(answer.content).values.get(token)
                problem = f"the vault answered {answer.status_code}"
            except (httpx.HTTPError, msgspec.MsgspecError) as error:
                problem = f"the vault cannot be asked: {type(error).__name__}"
        raise AddressUnavailable(problem)
