"""Clear e-mail addresses for the moment of sending. They live in the gateway's vault alone."""

from typing import Final

import msgspec
from msgspec import Struct

from services.engagement.gateways import Gateways, GatewayUnavailable

_SECONDS: Final = 5.0


class _Revealed(Struct, frozen=True):
    values: dict[str, str]


_revealed: Final = msgspec.json.Decoder(_Revealed).decode


class AddressUnavailable(Exception):
    """The vault did not answer; try again later."""


class Vault:
    """Asks the gateway; every reading is audited there, with the action as its reason."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    async def reveal(self, namespace: str, token: str, action_id: str) -> str | None:
        """The value in clear, None if it has been erased. Raises AddressUnavailable."""
        asked = {"namespace": namespace, "tokens": [token], "reason": f"delivery {action_id}"}
        try:
            revealed = await self._gateways.ask(
                "POST",
                "/internal/reveal",
                msgspec.json.encode(asked),
                lambda answer: _revealed(answer.content),
                seconds=_SECONDS,
                called="the vault",
            )
        except GatewayUnavailable as error:
            raise AddressUnavailable(str(error)) from error
        return revealed.values.get(token)
