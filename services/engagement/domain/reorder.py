"""Which reorder dates to watch for a person, and which of them passed before we knew."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import Struct

from services.engagement.domain.campaign import Campaign, ReorderStart
from services.engagement.domain.occurrence import Dated, Occurrence, of_reorder
from zhiyin.contracts.instants import Instant
from zhiyin.facts import Reorder


class Watch(Struct, frozen=True):
    """Somebody's supply of a product, watched for a campaign; `fire_at`: `due_at` less the lead.
    `dated`: how the date came about, which only its timer remembers."""

    profile_id: str
    campaign: str
    sku: str
    due_at: Instant
    fire_at: Instant
    dated: Dated = Dated()

    @property
    def identity(self) -> tuple[str, str, str, Instant, Instant]:
        return self.profile_id, self.campaign, self.sku, self.due_at, self.fire_at

    @property
    def timer_key(self) -> str:
        return f"reorder:{self.campaign}:{self.profile_id}:{self.sku}:{self.due_at}"

    @property
    def occurrence(self) -> Occurrence:
        return of_reorder(self.sku, self.due_at, self.fire_at, self.dated)


@dataclass(frozen=True, slots=True)
class WatchChange:
    """`missed`: due already when first heard of (old history), so nothing is to come of them."""

    set: tuple[Watch, ...]
    drop: tuple[Watch, ...]
    missed: tuple[Watch, ...]


def plan_watches(
    profile_id: str,
    dates: Iterable[Reorder],
    campaigns: Iterable[Campaign],
    known: Iterable[Watch],
    now: Instant,
) -> WatchChange:
    """From what is watched to what should be. What is watched already and unchanged stays as it
    is, even if its time has come: its timer has fired, or is about to."""
    dated = tuple(dates)
    wanted = {
        (campaign.key, date.sku): _watch(profile_id, campaign.key, campaign.start, date)
        for campaign in campaigns
        if isinstance(campaign.start, ReorderStart)
        for date in dated
        if not (campaign.start.substitutes and date.substituted)
    }
    standing = {(watch.campaign, watch.sku): watch for watch in known}
    changed = [watch for key, watch in wanted.items() if not _same(standing.get(key), watch)]
    coming = tuple(watch for watch in changed if watch.fire_at > now)
    replaced = {(watch.campaign, watch.sku) for watch in changed}
    return WatchChange(
        set=coming,
        drop=tuple(
            watch
            for key, watch in standing.items()
            if key not in replaced and not _same(watch, wanted.get(key))
        ),
        missed=tuple(watch for watch in changed if watch.fire_at <= now),
    )


def _watch(profile_id: str, campaign: str, start: ReorderStart, date: Reorder) -> Watch:
    return Watch(
        profile_id,
        campaign,
        date.sku,
        date.due_at,
        date.due_at - start.lead,
        Dated(date.basis, date.days, date.sure, date.category),
    )


def _same(known: Watch | None, wanted: Watch | None) -> bool:
    """A campaign's new lead does not move dates that are watched already."""
    return known is not None and wanted is not None and known.due_at == wanted.due_at
