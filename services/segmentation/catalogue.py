"""The segment set a process evaluates with: read again as soon as its revision has changed."""

from dataclasses import replace

from services.segmentation import cut_points, definitions, store
from services.segmentation.domain.segment_set import SegmentSet, build_set
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection


async def current_options(tx: Connection, options: Options) -> Options:
    """With the newest cut points of the population, if any were taken."""
    newest = await cut_points.newest(tx)
    return options if newest is None else replace(options, quintiles=newest.thresholds)


class Catalogue:
    """Holds the newest set seen. Asking begins a batch: the set's lock is held until commit, so
    nobody ever decides by a set that is no longer in force."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._newest = SegmentSet()

    async def current(self, tx: Connection) -> SegmentSet:
        revision = await store.begin(tx)
        known = self._newest
        if known.revision != revision:
            options = await current_options(tx, self.options)
            known = build_set(revision, await definitions.load(tx), options, known)
            self._newest = known
        return known
