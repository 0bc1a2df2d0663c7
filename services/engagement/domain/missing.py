"""Reorder dates that passed before anybody knew of them, counted per campaign."""

from collections import defaultdict
from collections.abc import Iterable

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.reorder import Watch
from services.engagement.domain.respond import Missed


def missed(watches: Iterable[Watch], catalog: Catalog) -> Iterable[Missed]:
    by_campaign: defaultdict[str, list[Watch]] = defaultdict(list)
    for watch in watches:
        by_campaign[watch.campaign].append(watch)
    for key, found in by_campaign.items():
        newest = max(found, key=lambda watch: (watch.fire_at, watch.sku))
        yield Missed(catalog.campaigns[key], newest.occurrence, len(found))
