"""Loads what decisions about these people need, and nothing for anybody else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.engagement.catalogs import Catalogs, Versions
from services.engagement.domain.around import around
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.codes import coupon_code
from services.engagement.domain.customer import Customer, Run
from services.engagement.domain.links import LinkKey
from services.engagement.domain.occurrence import Occurrence
from services.engagement.domain.respond import Stimulus, needs_person, starts_of
from services.engagement.keeping import Newest
from services.engagement.store import coupons, known, ledger, people, runs
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

Stimuli = Mapping[str, Sequence[Stimulus]]
Starts = Mapping[str, Sequence[tuple[Campaign, Occurrence]]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """`before`: the runs as they were."""

    customers: dict[str, Customer]
    versions: Versions
    around: Circumstances
    before: dict[UUID, Run]


@dataclass(frozen=True, slots=True)
class Gatherer:
    catalogs: Catalogs
    coupon_secret: bytes
    currency: str
    links: LinkKey | None = None

    async def gather(
        self,
        tx: Connection,
        rows: Mapping[str, people.Row],
        stimuli: Stimuli,
        newest: Newest,
        under_way: Sequence[Run],
        catalog: Catalog,
        now: Instant,
    ) -> Gathered:
        """`rows` are locked; `newest`: snapshots at hand that are newer than what is stored;
        `under_way`: all runs these people are inside of."""
        ids = [profile_id for profile_id, found in stimuli.items() if found]
        starts = {profile_id: starts_of(stimuli[profile_id]) for profile_id in ids}
        walking = {run.profile_id for run in under_way}
        asking = [each for each in ids if each in walking or any(map(needs_person, stimuli[each]))]
        customers = await self._customers(tx, rows, asking, newest, catalog, now)
        for profile_id in ids:
            customers.setdefault(profile_id, Customer(profile_id, rows[profile_id].partition))
        for run in under_way:
            if run.profile_id in customers:
                customers[run.profile_id].runs[run.run_id] = run
        await _decided(tx, customers, starts)
        versions = await self.catalogs.versions(
            tx, catalog, {(run.campaign, run.version) for run in under_way}
        )
        asked = [*versions.values(), *(c for found in starts.values() for c, _ in found)]
        wanted = frozenset[str]().union(*(campaign.journey.coupons for campaign in asked))
        for profile_id, template, count in await coupons.counts(tx, asking, wanted):
            customers[profile_id].coupons[template] = count
        remaining = await coupons.remaining(tx, wanted)
        circumstances = self._around(catalog, remaining, now)
        return Gathered(customers, versions, circumstances, {run.run_id: run for run in under_way})

    async def glance(
        self, tx: Connection, profile_id: str, campaign: Campaign, catalog: Catalog, now: Instant
    ) -> tuple[Customer, Circumstances]:
        """The same about one person and campaign, for somebody who only looks: nothing is
        locked."""
        ids, row = [profile_id], people.Row(profile_id, 0, 0, None, False, [], [], {})
        newest = Newest({})
        customers = await self._customers(tx, {profile_id: row}, ids, newest, catalog, now)
        customer = customers[profile_id]
        customer.runs = {run.run_id: run for run in await runs.inside(tx, ids)}
        wanted = campaign.journey.coupons
        for _, template, count in await coupons.counts(tx, ids, wanted):
            customer.coupons[template] = count
        left = await coupons.left(tx, wanted)
        return customer, self._around(catalog, left, now)

    def _around(self, catalog: Catalog, remaining: dict[str, int], now: Instant) -> Circumstances:
        links = None if self.links is None else self.links.issuer(catalog.surveys)
        return around(catalog, remaining, self._code_of, self.currency, now, links)

    def _code_of(self, action_id: UUID) -> str:
        return coupon_code(self.coupon_secret, action_id)

    async def _customers(
        self,
        tx: Connection,
        rows: Mapping[str, people.Row],
        ids: Sequence[str],
        newest: Newest,
        catalog: Catalog,
        now: Instant,
    ) -> dict[str, Customer]:
        stored = await people.snapshots(tx, [each for each in ids if newest.get(each) is None])
        found = await known.about(tx, ids, now - catalog.pressure.window)
        return {
            profile_id: Customer(
                profile_id=profile_id,
                partition=rows[profile_id].partition,
                snapshot=newest.get(profile_id) or stored.get(profile_id),
                segments=frozenset(each.segments),
                last_entry=each.last_entry,
                contacts=each.contacts,
            )
            for profile_id, each in found.items()
        }


async def _decided(tx: Connection, customers: Mapping[str, Customer], starts: Starts) -> None:
    """Tells the customers which of these occurrences are decided already."""
    keys = {
        (profile_id, campaign.key, occurrence.name)
        for profile_id, found in starts.items()
        for campaign, occurrence in found
    }
    for profile_id, campaign, occurrence in await ledger.decided(tx, keys) if keys else ():
        customers[profile_id].decided.add((campaign, occurrence))
