"""Rotating the vault's master key while everything goes on.

Every gateway is first given the new key and opens with it; then all seal under it; then the data
keys that older master keys have wrapped are wrapped anew, page by page. Values are never touched.
"""

import asyncio
from typing import Final

import structlog

from services.gateway.sealing import Broken, Sealer
from services.gateway.stores.master_keys import START, MasterKey, MasterKeyStore
from zhiyin.contracts.instants import SECOND, Duration, instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.env import SettingsError
from zhiyin.runtime.outages import is_outage

_log = structlog.get_logger(__name__)
_POLL_SECONDS: Final = 1.0
_PAGE: Final = 500
# By then every gateway seals under the new key, so that a walk leaves nothing behind it.
_ALL_SWITCHED: Final[Duration] = 5 * SECOND


class Rotation:
    def __init__(self, store: MasterKeyStore, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock

    async def begin(self) -> None:
        """Before anything is sealed. Raises SettingsError without the key in force."""
        current = await self.follow()
        if current.version not in self._sealer.versions:
            raise SettingsError(
                f"ZHIYIN_MASTER_KEYS lacks version {current.version}, which the vault seals under"
            )

    async def run(self) -> None:
        """Until cancelled: follow what is in force, and wrap anew what is older."""
        while True:
            try:
                await self.advance()
            except Exception as error:
                if not is_outage(error):
                    raise
                _log.warning("the master key cannot be looked up", error=repr(error))
            await asyncio.sleep(_POLL_SECONDS)

    async def advance(self) -> None:
        current = await self.follow()
        if current.rewrapped_at is None and current.version in self._sealer.versions:
            await self._rewrap(current)

    async def follow(self) -> MasterKey:
        """Seal under what is in force from now on."""
        current = await self._store.current()
        if current.version in self._sealer.versions:
            self._sealer.use(current.version)
        else:
            _log.error("ZHIYIN_MASTER_KEYS lacks the master key in force", version=current.version)
        return current

    async def _rewrap(self, current: MasterKey) -> None:
        # Looked at first: what is sealed under an older key from now on is no more than seconds
        # old, and the walk after those has it.
        settled = self._clock() > instant(current.used_since) + _ALL_SWITCHED
        found = False
        place = START
        try:
            while (following := await self._page(current, place)) is not None:
                found, place = True, following
        except Broken as error:
            _log.error("a value cannot be wrapped anew", error=str(error))
            return
        if settled and not found:
            await self._store.rewrapped(current.version)
            _log.info("all values are under the new master key", version=current.version)

    async def _page(self, current: MasterKey, after: tuple[str, str]) -> tuple[str, str] | None:
        return await self._store.rewrap_page(self._sealer, current.version, after, _PAGE)
