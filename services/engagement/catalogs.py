"""Keeps the catalog at hand, and notices when operators have changed it."""

from collections.abc import Iterable

from services.engagement.domain.acts import ANYTHING
from services.engagement.domain.build import build_campaign
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.catalog import Catalog, catalog
from services.engagement.domain.channels import Channel
from services.engagement.domain.coupons import coupon_template
from services.engagement.domain.experiments import Experiments
from services.engagement.domain.pressure import default_pressure, pressure_of
from services.engagement.domain.templates import message_template
from services.engagement.sealing import Sealer
from services.engagement.store import settings as stored
from services.engagement.store import surveys
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.contracts.instants import duration
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection

Versions = dict[tuple[str, int], Campaign]


class Catalogs:
    def __init__(self, options: Options, sealer: Sealer) -> None:
        self._options = options
        self._sealer = sealer
        self._current: Catalog | None = None
        self._built: dict[tuple[str, int, str], Campaign] = {}

    async def current(self, tx: Connection) -> Catalog:
        """The catalog as `tx` sees it; read anew only when its revision has changed."""
        revision = await stored.revision(tx)
        if self._current is None or self._current.revision != revision:
            self._current = await self._read(tx, revision)
        return self._current

    async def versions(
        self, tx: Connection, catalog: Catalog, wanted: Iterable[tuple[str, int]]
    ) -> Versions:
        """The versions runs are on, old ones too, in their campaign's present state. A version
        that is nowhere to be found is left out."""
        found: Versions = {}
        for key, version in sorted(set(wanted)):
            newest = catalog.campaigns.get(key)
            if newest is None:
                continue
            if newest.version == version:
                found[key, version] = newest
            elif (old := await self._old(tx, key, version, newest.state)) is not None:
                found[key, version] = old
        return found

    async def _old(self, tx: Connection, key: str, version: int, state: str) -> Campaign | None:
        if (key, version, state) not in self._built:
            spec = await stored.old_version(tx, key, version)
            if spec is None:
                return None
            self._built[key, version, state] = self._build(spec, version, state)
        return self._built[key, version, state]

    def _build(self, spec: CampaignSpec, version: int, state: str) -> Campaign:
        return build_campaign(spec, ANYTHING, self._options, version=version, state=state)

    async def _read(self, tx: Connection, revision: int) -> Catalog:
        pressure = await stored.pressure(tx)
        zone = self._options.zone
        return catalog(
            revision,
            [
                self._build(each.spec, each.version, each.state)
                for each in await stored.campaigns(tx)
            ],
            [
                Channel(
                    each.name, each.kind, self._sealer.open(each.config, each.name), each.disabled
                )
                for each in await stored.channels(tx)
            ],
            [message_template(key, spec) for key, spec in await stored.templates(tx)],
            [
                coupon_template(spec, self._options.currency)
                for spec, _ in await stored.coupon_templates(tx)
            ],
            default_pressure(zone) if pressure is None else pressure_of(pressure, zone),
            Experiments(await stored.experiments(tx)),
            {key: duration(spec.expires) for key, spec in await surveys.all_of(tx)},
        )
